//! Where packages come from on this machine.

use std::process::{Command, Stdio};

use super::DownloadError;

/// What npm's own variables say, or else npm itself, which also reads its files.
pub(crate) fn registry() -> Result<String, DownloadError> {
    ["NPM_CONFIG_REGISTRY", "npm_config_registry"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().and_then(|value| address(&value)))
        .or_else(ask_npm)
        .ok_or(DownloadError::NoRegistry)
}

fn ask_npm() -> Option<String> {
    let said = Command::new("npm")
        .args(["config", "get", "registry"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    address(&String::from_utf8(said.stdout).ok()?)
}

/// npm says "undefined" or "null" when it does not know.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let known = text.starts_with("https://") || text.starts_with("http://");
    known.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_is_taken_for_one() {
        assert_eq!(
            address(" https://registry.test/ \n"),
            Some("https://registry.test/".to_owned())
        );
        assert_eq!(address("undefined\n"), None);
        assert_eq!(address(""), None);
    }
}
