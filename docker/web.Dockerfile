# syntax=docker/dockerfile:1
FROM node:20-bookworm-slim AS build
WORKDIR /src
COPY scripts/lib.sh scripts/setup scripts/npm-ci scripts/build-web scripts/
RUN scripts/setup web
COPY web web
RUN --mount=type=cache,target=/root/.npm scripts/build-web

FROM nginxinc/nginx-unprivileged:1.28-alpine
COPY docker/nginx.conf /etc/nginx/nginx.conf
COPY --from=build /src/web/dist /srv/web
EXPOSE 8080
