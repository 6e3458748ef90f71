# syntax=docker/dockerfile:1
# The one binary, in an image without a shell, for a user without rights.
#
#   docker build -t tareas .
#   docker run --rm -p 127.0.0.1:5000:5000 -v tareas:/var/lib/tareas tareas
#
# Kinds that are commands need their programs: build an image of your own, with
# `COPY --from=tareas /usr/local/bin/tareas /usr/local/bin/` on a base that has them.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --package tareas \
 && install -D target/dist/tareas /out/usr/local/bin/tareas \
 && install -d -m 0700 /out/var/lib/tareas

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=nonroot:nonroot /out/ /
# In a container every address is its own: what is open is decided by what is published.
ENV TAREAS_BIND=0.0.0.0:5000 \
    TAREAS_INSECURE=true \
    TAREAS_DATA=/var/lib/tareas
VOLUME /var/lib/tareas
EXPOSE 5000
# A drain may take as long as drain_delay and drain_grace; `docker stop -t 60` waits for it.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
    CMD ["/usr/local/bin/tareas", "health", "--server", "tcp://127.0.0.1:5000"]
ENTRYPOINT ["/usr/local/bin/tareas"]
CMD ["serve"]
