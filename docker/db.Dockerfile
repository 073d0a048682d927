FROM postgres:17-bookworm
# The image runs it once, when it has created the cluster.
COPY docker/prepare-database /docker-entrypoint-initdb.d/prepare-database.sh
