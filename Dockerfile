# Chartwell in one container: the program, and the engine library beside it.

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY scripts/fetch-engine.sh scripts/
RUN XDG_CACHE_HOME=/cache ./scripts/fetch-engine.sh
COPY . .
RUN cargo build --release --locked --bin chartwell

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data chartwell && install -d -o chartwell /data
COPY --from=build /build/target/release/chartwell /usr/local/bin/chartwell
COPY --from=build /cache/chartwell/engine/*/libchdb.so /usr/local/lib/libchdb.so
USER chartwell
WORKDIR /data
ENV CHARTWELL_LISTEN=0.0.0.0:8080 CHARTWELL_DATA_DIR=/data CHARTWELL_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["chartwell"]
CMD ["serve"]
