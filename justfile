# One-line verbs; `just --list` shows them. Everything here is plain cargo and works without just.

# Crates that compile no candle.
light := "-p vrrl-harness-core -p vrrl-harness-stats -p vrrl-generators -p vrrl-datasets -p vrrl-harness -p vrrl-reports"

# The whole loop on mazes, with the commit in the report.
run *ARGS:
    VRRL_COMMIT="$(git rev-parse --short HEAD)" cargo run --release -- run {{ARGS}}

# Everyday tests: seconds, no candle.
quick:
    cargo test {{light}}

# All tests.
test:
    cargo test --workspace

# What decides whether a change is good.
ci:
    .ci/run

# Format.
fmt:
    cargo fmt --all

# Lint.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Documentation of every crate.
doc:
    cargo doc --workspace --no-deps --open

# Benches of the light crates.
bench:
    cargo bench {{light}} --benches

# All benches, the network's and the trainer's too.
bench-all:
    cargo bench --workspace --benches

# Proof that the light crates compile no candle: cargo must not find it among their dependencies.
no-candle:
    for p in harness-core harness-stats generators datasets harness reports; do cargo tree -p vrrl-$p -e normal,build,dev -i candle-core 2>&1 | grep -q 'did not match' || { echo "vrrl-$p compiles candle"; exit 1; }; done
