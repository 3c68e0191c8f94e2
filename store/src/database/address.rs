//! Where a database is, as libpq writes it: one server, or several of which one takes writes.
//!
//! `postgres://user:password@one:5432,two:5433/daybook?target_session_attrs=read-write`, or with
//! `?host=one,two&port=5432,5433`. A password is in none of the errors.
//!
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// The most servers that a URL can name.
const MAX_SERVERS: usize = 16;

/// The servers of a database, in the order in which they are preferred.
#[derive(Clone)]
pub struct Address {
    /// At least one.
    pub(super) servers: Vec<PgConnectOptions>,
    pub(super) target: Target,
}

/// Who owns the tables, and makes and changes them.
#[derive(Clone)]
pub struct Owner(Vec<PgConnectOptions>);

/// Which of the servers will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The first that answers.
    Any,
    /// The first that takes writes.
    Writable,
}

/// Why a URL is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL of PostgreSQL's.
    #[error("it is not a postgres:// URL")]
    NotPostgres,
    /// A server in it cannot be read.
    #[error("server {0} of it cannot be read")]
    Server(usize),
    /// It names too many servers.
    #[error("it names {0} servers; at most {MAX_SERVERS} can be")]
    TooMany(usize),
    /// It names as many ports as servers, or one, or none.
    #[error("it names {servers} servers and {ports} ports: name one port for each, or one for all")]
    Ports {
        /// How many servers.
        servers: usize,
        /// How many ports.
        ports: usize,
    },
    /// The owner's is another database.
    #[error("the owner's URL must name the same servers and the same database")]
    OtherDatabase,
    /// It asks for a server that daybook cannot work on.
    #[error("target_session_attrs can be `read-write`, `primary` or `any`: daybook writes")]
    Target,
}

impl Address {
    /// The owner of this database's tables, by a URL that names the same servers.
    ///
    /// # Errors
    /// When it is not understood, or names another database.
    pub fn owner(&self, url: &str) -> Result<Owner, AddressError> {
        let theirs: Self = url.parse()?;
        let same = |(mine, owners): (&PgConnectOptions, &PgConnectOptions)| {
            is_same_place(mine, owners) && mine.get_database() == owners.get_database()
        };
        let are_same = theirs.servers.len() == self.servers.len()
            && self.servers.iter().zip(&theirs.servers).all(same);
        if are_same { Ok(Owner(theirs.servers)) } else { Err(AddressError::OtherDatabase) }
    }

    /// The one that is preferred.
    pub(super) fn first(&self) -> PgConnectOptions {
        self.servers.first().cloned().unwrap_or_default()
    }
}

impl Owner {
    /// How the owner connects to the server that somebody else connects to like this.
    pub(super) fn at(&self, server: &PgConnectOptions) -> PgConnectOptions {
        let there = self.0.iter().find(|owners| is_same_place(server, owners));
        there.or(self.0.first()).cloned().unwrap_or_default()
    }
}

fn is_same_place(one: &PgConnectOptions, other: &PgConnectOptions) -> bool {
    (one.get_host(), one.get_port(), one.get_socket())
        == (other.get_host(), other.get_port(), other.get_socket())
}

impl From<PgConnectOptions> for Address {
    fn from(server: PgConnectOptions) -> Self {
        Self { servers: vec![server], target: Target::Any }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(url: &str) -> Result<Self, AddressError> {
        let Parts { user, servers, database, query } = Parts::of(url)?;
        let (mut hosts, mut ports, mut target, mut rest) = (Vec::new(), Vec::new(), None, vec![]);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("host", value)) => hosts = list(value),
                Some(("port", value)) => ports = list(value),
                Some(("target_session_attrs", value)) => target = Some(Target::named(value)?),
                _ => rest.push(parameter),
            }
        }
        let count = hosts.len().max(servers.len());
        if count > MAX_SERVERS {
            return Err(AddressError::TooMany(count));
        }
        if ports.len() > 1 && ports.len() != count {
            return Err(AddressError::Ports { servers: count, ports: ports.len() });
        }
        let one = |number: usize| {
            let server = servers.get(number).copied().unwrap_or_default();
            let host = hosts.get(number).map(|host| format!("host={host}"));
            let port = ports.get(number).or(ports.first()).map(|port| format!("port={port}"));
            let own = host.into_iter().chain(port);
            let query: Vec<_> = rest.iter().map(ToString::to_string).chain(own).collect();
            // The `url` crate wants a host where there is a user; a parameter overrules it.
            let placeholder = if server.is_empty() && !user.is_empty() { "localhost" } else { "" };
            let url =
                format!("postgres://{user}{placeholder}{server}/{database}?{}", query.join("&"));
            let options = PgConnectOptions::from_str(&url);
            let options = options.map_err(|_| AddressError::Server(number + 1))?;
            // Floats are sent as they are, and a pooler knows nothing of this parameter.
            let options = options.extra_float_digits(None);
            Ok(match options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
                Some(ipv6) => options.clone().host(ipv6),
                None => options,
            })
        };
        let servers = (0..count).map(one).collect::<Result<Vec<_>, _>>()?;
        let by_itself = if count > 1 { Target::Writable } else { Target::Any };
        Ok(Self { servers, target: target.unwrap_or(by_itself) })
    }
}

impl Target {
    fn named(value: &str) -> Result<Self, AddressError> {
        match value {
            "any" => Ok(Self::Any),
            "read-write" | "primary" => Ok(Self::Writable),
            _ => Err(AddressError::Target),
        }
    }
}

/// The values of a parameter, still as they are written in a URL.
fn list(value: &str) -> Vec<String> {
    let commas = value.replace("%2C", ",").replace("%2c", ",");
    commas.split(',').map(ToOwned::to_owned).collect()
}

/// The pieces of a URL, still as they are written in it.
struct Parts<'a> {
    /// With its `@`; empty, where there is none.
    user: &'a str,
    servers: Vec<&'a str>,
    database: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Result<Self, AddressError> {
        let schemes = ["postgres://", "postgresql://"];
        let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or(AddressError::NotPostgres)?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        let at = authority.rfind('@').map_or(0, |at| at + 1);
        let (user, servers) = authority.split_at(at);
        Ok(Self { user, servers: servers.split(',').collect(), database, query })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(url: &str) -> Vec<(String, u16)> {
        let address: Address = url.parse().unwrap();
        let server = |it: &PgConnectOptions| {
            let socket = it.get_socket().map(|socket| socket.display().to_string());
            (socket.unwrap_or_else(|| it.get_host().to_owned()), it.get_port())
        };
        address.servers.iter().map(server).collect()
    }

    fn error(url: &str) -> AddressError {
        url.parse::<Address>().err().unwrap()
    }

    #[test]
    fn several_servers_are_named_as_libpq_names_them() {
        let [one, two] = [("one", 5432), ("two", 5433)].map(|(host, port)| (host.to_owned(), port));
        for url in [
            "postgres://me:secret@one,two:5433/daybook",
            "postgresql://one:5432,two:5433/daybook?target_session_attrs=read-write",
            "postgres:///daybook?host=one,two&port=5432,5433&user=me",
            "postgres://me@/daybook?host=one%2Ctwo&port=5432,5433",
        ] {
            assert_eq!(servers(url), [one.clone(), two.clone()], "{url}");
            assert_eq!(url.parse::<Address>().unwrap().target, Target::Writable);
        }
        let of_addresses = servers("postgres://[::1]:5433,127.0.0.1/daybook");
        assert_eq!(of_addresses, [("::1".to_owned(), 5433), ("127.0.0.1".to_owned(), 5432)]);
        let of_sockets = servers("postgres:///d?host=/run/a%20b,/run/c&port=5433");
        assert_eq!(of_sockets, [("/run/a b".to_owned(), 5433), ("/run/c".to_owned(), 5433)]);
    }

    #[test]
    fn each_server_has_the_whole_of_the_rest() {
        let url = "postgres://me:p%40ss@one,two/daybook?sslmode=disable&application_name=desk";
        for server in url.parse::<Address>().unwrap().servers {
            assert_eq!(server.get_username(), "me");
            assert_eq!(server.get_database(), Some("daybook"));
            assert_eq!(server.get_application_name(), Some("desk"));
        }
    }

    #[test]
    fn one_server_is_taken_as_it_is() {
        let address: Address = "postgres://one/daybook".parse().unwrap();
        assert_eq!((address.servers.len(), address.target), (1, Target::Any));
        let asked: Address = "postgres://one/d?target_session_attrs=primary".parse().unwrap();
        assert_eq!(asked.target, Target::Writable);
    }

    #[test]
    fn the_owner_is_another_user_of_the_same_database() {
        let address: Address = "postgres://app:a@one,two:5433/d?sslmode=disable".parse().unwrap();
        let owner = address.owner("postgres://owner:o@one,two:5433/d").unwrap();
        let there = owner.at(address.servers.last().unwrap());
        assert_eq!(
            (there.get_username(), there.get_host(), there.get_port()),
            ("owner", "two", 5433)
        );
        for other in ["postgres://owner@one,two:5433/e", "postgres://owner@one/d"] {
            assert_eq!(address.owner(other).err(), Some(AddressError::OtherDatabase), "{other}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_without_its_password() {
        assert_eq!(error("mysql://me:secret@one/daybook"), AddressError::NotPostgres);
        assert_eq!(error("postgres://one,two:port/daybook"), AddressError::Server(2));
        assert_eq!(
            error("postgres:///d?host=one,two,three&port=1,2"),
            AddressError::Ports { servers: 3, ports: 2 }
        );
        assert_eq!(error("postgres://one/d?target_session_attrs=standby"), AddressError::Target);
        assert_eq!(
            error(&format!("postgres://{}/d", ["one"; 17].join(","))),
            AddressError::TooMany(17)
        );
        let said = error("postgres://me:secret@one:port/daybook").to_string();
        assert!(!said.contains("secret"), "{said}");
    }
}
