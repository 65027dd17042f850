-- Roles and databases for PAO and Temporal on one Postgres. Run it once as a superuser, or as the administrator of
-- a managed Postgres such as RDS, who may make roles and databases:
--   psql -v owner_password=... -v service_password=... -v temporal_password=... -f roles.sql postgres
-- It may be run again; it then only sets the passwords.
\set ON_ERROR_STOP on
-- A failing statement must not write a password to the log. Only superusers may say so.
select set_config('log_min_error_statement', 'panic', false), set_config('log_statement', 'none', false)
  from pg_roles where rolname = current_user and rolsuper \g /dev/null

select format('create role %I', name)
  from (values ('pao_owner'), ('pao_service'), ('temporal')) as wanted (name)
 where not exists (select from pg_roles where rolname = name) \gexec
-- Whoever is no superuser gives databases to members of the same role only.
select format('grant %I to current_user', name)
  from (values ('pao_owner'), ('temporal')) as wanted (name), pg_roles
 where rolname = current_user and not rolsuper \gexec

-- Owns the tables; only `pao db migrate` uses it.
alter role pao_owner with login password :'owner_password';
-- What API and worker use. The name matters: migrations grant rights to `pao_service`.
alter role pao_service with login password :'service_password';
alter role temporal with login password :'temporal_password';

select format('create database %I owner %I', name, owner)
  from (values ('pao', 'pao_owner'), ('temporal', 'temporal'), ('temporal_visibility', 'temporal'))
       as wanted (name, owner)
 where not exists (select from pg_database where datname = name) \gexec

revoke all on database pao, temporal, temporal_visibility from public;
grant connect on database pao to pao_service;

-- Temporal's visibility schema indexes with this extension.
\connect temporal_visibility
create extension if not exists btree_gin;
