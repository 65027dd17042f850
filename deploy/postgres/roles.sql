-- Roles and databases for PAO and Temporal on one Postgres. Run it once as a superuser:
--   psql -v owner_password=... -v service_password=... -v temporal_password=... -f roles.sql postgres
-- It may be run again; it then only sets the passwords.
\set ON_ERROR_STOP on
-- A failing statement must not write a password to the log.
set log_min_error_statement = panic;
set log_statement = 'none';

select format('create role %I', name)
  from (values ('pao_owner'), ('pao_service'), ('temporal')) as wanted (name)
 where not exists (select from pg_roles where rolname = name) \gexec

-- Owns the tables; only `pao db migrate` uses it.
alter role pao_owner with login nosuperuser nocreatedb nocreaterole password :'owner_password';
-- What API and worker use. The name matters: migrations grant rights to `pao_service`.
alter role pao_service with login nosuperuser nocreatedb nocreaterole password :'service_password';
alter role temporal with login nosuperuser nocreatedb nocreaterole password :'temporal_password';

select format('create database %I owner %I', name, owner)
  from (values ('pao', 'pao_owner'), ('temporal', 'temporal'), ('temporal_visibility', 'temporal'))
       as wanted (name, owner)
 where not exists (select from pg_database where datname = name) \gexec

revoke all on database pao, temporal, temporal_visibility from public;
grant connect on database pao to pao_service;

-- Temporal's visibility schema indexes with this extension, which only a superuser may create.
\connect temporal_visibility
create extension if not exists btree_gin;
