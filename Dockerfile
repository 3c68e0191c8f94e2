# The container image: `docker build .`; how it is built for two architectures, signed for and listed is in
# docs/operations/install.md. The last stage is what is run; `--target demo` has a PostgreSQL of its own, to try it.
#
# No `# syntax` line: each build would ask a registry for it, and nothing here needs one.

# The program is built on the same Debian release that it runs on, so that both have one glibc; for the other architecture
# on this one, which takes minutes where emulation takes hours.
FROM --platform=$BUILDPLATFORM rust:1.95.0-slim-bookworm AS rust
ARG BUILDARCH TARGETARCH
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# The image's own toolchain is the one that rust-toolchain.toml asks for. Said here, rustup does not also fetch the clippy and
# rustfmt that the file lists. Folders of the build are in no message of the program's: builds elsewhere have the same bytes.
ENV RUSTUP_TOOLCHAIN=1.95.0 \
    CARGO_INCREMENTAL=0 \
    RUSTFLAGS="--remap-path-prefix=/src=daybook --remap-path-prefix=/usr/local/cargo=cargo" \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=x86_64-linux-gnu-gcc
# Debian's own versions of a stable release: there is one of each.
# hadolint ignore=DL3008,SC2086
RUN case "$TARGETARCH" in \
        amd64) machine=x86_64; packages="gcc-x86-64-linux-gnu libc6-dev-amd64-cross" ;; \
        arm64) machine=aarch64; packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross" ;; \
        *) echo "daybook is built for amd64 and arm64, not for $TARGETARCH"; exit 1 ;; \
    esac; \
    echo "$machine-unknown-linux-gnu" > /triple; \
    if [ "$BUILDARCH" != "$TARGETARCH" ]; then \
        apt-get update; \
        apt-get install --yes --no-install-recommends $packages; \
        rm -rf /var/lib/apt/lists/*; \
        rustup target add "$(cat /triple)"; \
    fi
WORKDIR /src

# The workspace without what is written in it: its manifests, and nothing where programs and libraries are. As long as the
# manifests stay, its bytes do, and with them the layer of all that others have written.
FROM rust AS skeleton
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY . .
RUN find . -name Cargo.toml | while read -r manifest; do \
        install -D "$manifest" "/skeleton/$manifest"; \
        folder=$(dirname "$manifest"); \
        for file in src/lib.rs src/main.rs build.rs $(sed -n 's/^path = "\(.*\.rs\)"$/\1/p' "$manifest"); do \
            if [ -e "$folder/$file" ]; then \
                install -d "$(dirname "/skeleton/$folder/$file")"; \
                echo 'fn main() {}' > "/skeleton/$folder/$file"; \
            fi; \
        done; \
    done; \
    cp Cargo.lock /skeleton/

FROM rust AS dependencies
COPY --from=skeleton /skeleton .
# What is made of the skeleton itself is forgotten: its files are younger than those that are written.
RUN --mount=type=cache,id=daybook-cargo-registry,target=/usr/local/cargo/registry,sharing=locked \
    cargo build --profile dist --locked --target "$(cat /triple)" --package daybook --bin daybook --features otlp; \
    rm -rf target/*/dist/.fingerprint/daybook* target/dist/.fingerprint/daybook*

FROM dependencies AS build
COPY . .
# The time that archives and files of the image are said to be of: that of the commit, where it is given.
ARG SOURCE_DATE_EPOCH
RUN --mount=type=cache,id=daybook-cargo-registry,target=/usr/local/cargo/registry,sharing=locked \
    cargo build --profile dist --locked --target "$(cat /triple)" --package daybook --bin daybook --features otlp; \
    install -D "target/$(cat /triple)/dist/daybook" /out/daybook; \
    install -d /out/data

# glibc as the program was linked with it: the loader, and the three libraries that `ldd` names.
FROM debian:bookworm-slim AS libraries
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN machine=$(uname -m); \
    loader=$(echo /lib*/ld-linux-*.so.*); \
    install -D "$(realpath "$loader")" "/out$loader"; \
    for name in libc.so.6 libm.so.6 libgcc_s.so.1; do \
        install -D -m 755 "$(realpath "/lib/$machine-linux-gnu/$name")" "/out/lib/$machine-linux-gnu/$name"; \
    done

# daybook with a PostgreSQL of its own, and a practice in it to try: no part of it is for work.
FROM debian:bookworm-slim AS demo
# Debian's own version of a stable release: there is one.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates postgresql \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 65532 nonroot \
    && useradd --uid 65532 --gid 65532 --home-dir /var/lib/daybook --no-create-home --shell /usr/sbin/nologin nonroot
COPY --from=build /out/daybook /usr/local/bin/daybook
COPY --from=build --chown=65532:65532 /out/data /var/lib/daybook
ENV DAYBOOK_DATA_DIR=/var/lib/daybook \
    DAYBOOK_LISTEN=0.0.0.0 \
    DAYBOOK_OPERATIONS_LISTEN=0.0.0.0:9464
USER 65532:65532
EXPOSE 8080 9464
LABEL org.opencontainers.image.title="daybook demo" \
      org.opencontainers.image.description="daybook with a PostgreSQL of its own, to try it" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/daybook", "ready"]
ENTRYPOINT ["/usr/local/bin/daybook"]
CMD ["serve", "--demo"]

# Certificate authorities, a user and /tmp; no shell, no package manager, and of libraries those above. Time zones are in the
# program.
FROM gcr.io/distroless/static-debian12:nonroot AS daybook
COPY --from=libraries /out /
COPY --from=build /out/daybook /usr/local/bin/daybook
# Where the master key is kept, on a volume.
COPY --from=build --chown=65532:65532 /out/data /var/lib/daybook
# There is no PostgreSQL here, and none can be fetched: without a URL, daybook says what it needs.
ENV DAYBOOK_DATA_DIR=/var/lib/daybook \
    DAYBOOK_DATABASE_ELSEWHERE=true \
    DAYBOOK_LISTEN=0.0.0.0 \
    DAYBOOK_OPERATIONS_LISTEN=0.0.0.0:9464
# Uid 65532, as a number: Kubernetes' runAsNonRoot cannot check a name.
USER 65532:65532
EXPOSE 8080 9464
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="daybook" \
      org.opencontainers.image.description="An event-sourced scheduling engine on PostgreSQL" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.base.name="gcr.io/distroless/static-debian12:nonroot" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/daybook", "ready"]
ENTRYPOINT ["/usr/local/bin/daybook"]
CMD ["serve"]
