# The vrrl command in a small image: docker build -t vrrl . && docker run --rm -v "$PWD:/work" vrrl doctor
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p vrrl-harness-cli && strip target/release/vrrl

FROM debian:bookworm-slim
# The gate's script is bash; certificates are inside the binary.
COPY --from=build /src/target/release/vrrl /usr/local/bin/vrrl
COPY --from=build /src/.github/actions/gate/gate.sh /usr/local/bin/vrrl-gate
WORKDIR /work
ENTRYPOINT ["vrrl"]
CMD ["--help"]
