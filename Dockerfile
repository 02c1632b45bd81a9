# Chartwell in a container. Two targets: `server` is the program alone, for a ClickHouse server or a cluster; `embedded`
# has the engine library beside it. `docker build --target embedded .`

FROM node:22-bookworm-slim AS studio
WORKDIR /build/studio
COPY studio/package.json studio/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY openapi/openapi.json ../openapi/openapi.json
COPY studio ./
RUN npm run build

FROM rust:1.95-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build
# Dependencies change less often than the program: they are built first, for a program that does nothing.
COPY Cargo.toml Cargo.lock build.rs ./
RUN mkdir -p src/studio benches && touch src/lib.rs src/studio/notice.html \
    && for program in src/main benches/{pure,overhead,spans,experiments,product,fairness}; do echo 'fn main() {}' >"$program.rs"; done \
    && cargo build --release --locked --bin chartwell \
    && rm -rf src benches
COPY . .
COPY --from=studio /build/studio/dist studio/dist
# What was built before is older than what it was built of.
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --bin chartwell

FROM node:22-bookworm-slim AS engine
WORKDIR /engine
COPY scripts/fetch-engine.sh ./
RUN XDG_CACHE_HOME=/cache ./fetch-engine.sh && mv /cache/chartwell/engine/*/libchdb.so /libchdb.so

FROM debian:bookworm-slim AS server
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Chartwell" \
    org.opencontainers.image.description="Realtime analytics for AI assistants and agent-assist tools, straight from ClickHouse" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin chartwell \
    && install --directory --owner chartwell --group chartwell /data
# Whom the program trusts: without authorities it asks nobody by HTTPS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /build/target/release/chartwell /usr/local/bin/chartwell
# By number, so that it can be known to be nobody special.
USER 10001:10001
WORKDIR /data
ENV CHARTWELL_LISTEN=0.0.0.0:8080 CHARTWELL_DATA_DIR=/data CHARTWELL_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# A start may wait for servers, and for another instance that migrates.
HEALTHCHECK --interval=5s --timeout=6s --retries=3 --start-period=600s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q 200"]
ENTRYPOINT ["chartwell"]
CMD ["serve"]

FROM server AS embedded
COPY --from=engine /libchdb.so /usr/local/lib/libchdb.so
