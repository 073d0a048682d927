# syntax=docker/dockerfile:1
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY .cargo .cargo
COPY scripts/lib.sh scripts/setup scripts/build-api scripts/cc scripts/
RUN scripts/setup api
COPY Cargo.toml Cargo.lock ./
COPY engine engine
COPY api api
COPY migrations migrations
COPY tests tests
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    scripts/build-api release && install -D target/release/logbook /out/logbook

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libpq5 \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o 10001 -g 10001 -m 700 /data
COPY --from=build /out/logbook /usr/local/bin/logbook
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/logbook/
USER 10001:10001
ENV LOGBOOK_LISTEN=0.0.0.0:8080 LOGBOOK_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["logbook"]
CMD ["serve"]
