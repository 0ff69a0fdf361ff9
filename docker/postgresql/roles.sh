#!/bin/sh
# Makes the roles and the database, once, when the data directory is made.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres --quiet <<'SQL'
\set owner `cat /run/secrets/target_tracker_owner`
\set api `cat /run/secrets/target_tracker_api`
\set worker `cat /run/secrets/target_tracker_worker`
\set analytics `cat /run/secrets/target_tracker_analytics`
CREATE ROLE target_tracker_owner LOGIN CREATEROLE PASSWORD :'owner';
CREATE ROLE target_tracker_api LOGIN PASSWORD :'api';
CREATE ROLE target_tracker_worker LOGIN PASSWORD :'worker';
CREATE ROLE target_tracker_analytics LOGIN PASSWORD :'analytics';
CREATE DATABASE target_tracker OWNER target_tracker_owner;
\connect target_tracker
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;
SQL
