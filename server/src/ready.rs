//! `daybook ready`: whether a server can be sent requests, as its operations port says. For whoever can only run a
//! program, like the health check of a container whose image has nothing else that could ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::Value;
use ureq::Agent;
use ureq::http::Uri;

use crate::output;

/// The port answers from memory.
const PATIENCE: Duration = Duration::from_secs(3);

/// No answer of it is longer.
const MAX_ANSWER: u64 = 64 << 10;

/// Which server.
#[derive(Args)]
pub(crate) struct Ready {
    /// Where its operations port is, like <http://127.0.0.1:9464> [default: where --operations-listen is of a server on this
    /// machine that has the same environment].
    #[arg(long)]
    url: Option<Uri>,
    /// The address that the server listens on.
    #[arg(long, env = "DAYBOOK_OPERATIONS_LISTEN", hide = true)]
    operations_listen: Option<SocketAddr>,
}

/// Says that it is ready.
///
/// # Errors
/// When it is not, or does not answer; why is one sentence.
pub(crate) fn run(options: &Ready) -> anyhow::Result<()> {
    let url = options.address()?;
    let settings = Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0);
    // Nobody stands between, whatever the environment says of proxies.
    let settings = settings.http_status_as_error(false).proxy(None);
    let asked = Agent::new_with_config(settings.build()).get(format!("{url}/readyz")).call();
    let mut answer = asked.with_context(|| format!("no server answers at {url}"))?;
    let body = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
    let said: Value = body.ok().and_then(|it| serde_json::from_str(&it).ok()).unwrap_or_default();
    let is_ready = answer.status() == 200 && said["checks"].is_array();
    match said["detail"].as_str() {
        _ if is_ready => output::line("ready"),
        Some(why) if answer.status() == 503 => bail!("not ready: {why}"),
        _ => bail!("no operations port of daybook answers at {url}, but something else"),
    }
}

impl Ready {
    fn address(&self) -> anyhow::Result<String> {
        let Some(url) = &self.url else { return self.on_this_machine() };
        ensure!(
            url.scheme_str() == Some("http")
                && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                && url.path() == "/"
                && url.query().is_none(),
            "--url is like http://127.0.0.1:9464: the operations port has no TLS, and no path is needed"
        );
        Ok(url.to_string().trim_end_matches('/').to_owned())
    }

    fn on_this_machine(&self) -> anyhow::Result<String> {
        let listens = self.operations_listen.filter(|address| address.port() != 0);
        let listens = listens.context(
            "whom to ask is said by --url, or by DAYBOOK_OPERATIONS_LISTEN with a port; a server prints at its start where its operations port is",
        )?;
        // A server that listens everywhere is asked by the way that does not leave the machine.
        let ip = match listens.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Ok(format!("http://{}", SocketAddr::new(ip, listens.port())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(listens: &str) -> anyhow::Result<String> {
        Ready { url: None, operations_listen: Some(listens.parse().unwrap()) }.address()
    }

    #[test]
    fn one_that_listens_everywhere_is_asked_on_this_machine() {
        assert_eq!(of("0.0.0.0:9464").unwrap(), "http://127.0.0.1:9464");
        assert_eq!(of("[::]:9464").unwrap(), "http://[::1]:9464");
        assert_eq!(of("10.0.0.7:9464").unwrap(), "http://10.0.0.7:9464");
        assert!(of("127.0.0.1:0").is_err());
    }
}
