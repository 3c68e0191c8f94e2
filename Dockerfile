# syntax=docker/dockerfile:1

# The program is built on the same Debian release that it runs on, so that both have one glibc.
FROM rust:1.95.0-slim-bookworm AS build
# The image's own toolchain is the one that rust-toolchain.toml asks for. Said here, rustup does not
# also fetch the clippy and rustfmt that the file lists.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY . .
# Registry and target folder outlive the layer, so that a change of ours builds only our crates again.
# A cache mount is not part of the layer: the program is copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --profile dist --locked --package daybook --bin daybook --features otlp \
    && install -D target/dist/daybook /out/daybook \
    && install -d /out/data

# glibc, libgcc and the certificate authorities; no shell and no package manager. Time zones are in
# the program. Whether it is ready, /readyz says; there is nothing here that could ask from inside.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/daybook /usr/local/bin/daybook
# Where the master key is kept, on a volume.
COPY --from=build --chown=65532:65532 /out/data /var/lib/daybook
ENV DAYBOOK_DATA_DIR=/var/lib/daybook
# Uid 65532, as a number: Kubernetes' runAsNonRoot cannot check a name.
USER 65532:65532
EXPOSE 8080 9464
ENTRYPOINT ["/usr/local/bin/daybook"]
CMD ["serve", "--listen", "0.0.0.0", "--operations-listen", "0.0.0.0:9464"]
