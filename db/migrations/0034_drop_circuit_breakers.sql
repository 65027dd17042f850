-- Since 0.4.0 breakers are counted in "breakers" (0021); nothing reads or writes this table any more.
DROP TABLE public.circuit_breakers;
