//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, ParseFloatError, ParseIntError};
use std::path::PathBuf;
use std::str::FromStr;

use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand};
use daybook_api::export::Format;
use daybook_api::{CorsOrigin, Network};
use daybook_domain::rights::{Few, Limits, NotAFew, Role as KeyRole, Scope, ScopeSet, Scopes};
use daybook_domain::{Category, ClientId, Location, Name, ResourceId, TenantId, Titles};
use daybook_integrations::calendar::CategoryFrom;
use daybook_store::Role;
use daybook_store::database::Budget;
use daybook_store::feed::Boundary;
use daybook_store::issuers::{Algorithm, Audience, IssuerUrl, TokenType};
use uuid::Uuid;

use crate::import::Home;
use crate::issuer::{self, GrantText};
use crate::listen_address::ListenAddress;
use crate::listener::TlsFiles;
use crate::logging;
use crate::mailing::SmtpOptions;
use crate::master_key::{MasterKeyCommand, Sources};
use crate::ready::Ready;
use crate::tenant::SettingsOptions;

/// What every subcommand takes stands apart from its own options.
const GLOBAL: &str = "Global options";

/// An event-sourced scheduling engine on PostgreSQL.
///
/// Without a subcommand it serves, with a demo tenant to try: it takes the options of `serve` then.
#[derive(Parser)]
#[command(name = "daybook", version, subcommand_required = false, arg_required_else_help = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    /// How the program's log is written, on standard error.
    #[arg(long, env = "DAYBOOK_LOG_FORMAT", global = true, help_heading = GLOBAL, value_enum, default_value_t)]
    pub(crate) log_format: logging::Format,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the data is.
#[derive(Args, Clone)]
pub(crate) struct Place {
    /// The PostgreSQL to use; without it, daybook runs one of its own.
    #[arg(long, env = "DAYBOOK_DATABASE_URL", global = true, hide_env_values = true, help_heading = GLOBAL)]
    pub(crate) database_url: Option<String>,
    /// The same database as the owner of its tables, who makes and changes them; it names the same servers. So the user of
    /// --database-url may do nothing but read and write rows [default: that user].
    #[arg(long, env = "DAYBOOK_OWNER_DATABASE_URL", global = true, hide_env_values = true, help_heading = GLOBAL)]
    pub(crate) owner_database_url: Option<String>,
    /// Run no PostgreSQL of daybook's own: without --database-url the program ends, and says what it needs.
    #[arg(long, env = "DAYBOOK_DATABASE_ELSEWHERE", global = true, help_heading = GLOBAL)]
    pub(crate) database_elsewhere: bool,
    /// The folder of daybook's own PostgreSQL [default: /var/lib/daybook for root, else
    /// ~/.local/share/daybook].
    #[arg(long, env = "DAYBOOK_DATA_DIR", global = true, help_heading = GLOBAL)]
    pub(crate) data_dir: Option<PathBuf>,
    /// How many connections to the database this program may have, over all that it does: 13 or more
    /// [default: 28 for serve, 13 for the others].
    #[arg(long, env = "DAYBOOK_DB_CONNECTIONS", global = true, help_heading = GLOBAL, value_parser = connections)]
    pub(crate) db_connections: Option<Budget>,
    /// Where a master key is, which wraps the keys that seal personal data: file:PATH, env:NAME or exec:COMMAND. May be
    /// given several times, or with commas between them: the first wraps, all open [default: master.key in the folder of daybook's data, made by the
    /// first start].
    #[expect(clippy::doc_markdown, reason = "the help shows it as it is")]
    #[arg(long, env = "DAYBOOK_MASTER_KEY", global = true, help_heading = GLOBAL)]
    pub(crate) master_key: Vec<Sources>,
    /// The file in which it is kept who was erased, for databases that are restored from a copy of before [default:
    /// erasures.ledger beside master.key, where that is daybook's own].
    #[arg(long, env = "DAYBOOK_ERASURE_LEDGER", global = true, help_heading = GLOBAL)]
    pub(crate) erasure_ledger: Option<PathBuf>,
}

fn connections(text: &str) -> Result<Budget, String> {
    let number: u32 = text.parse().map_err(|error: ParseIntError| error.to_string())?;
    Budget::try_from(number).map_err(|error| error.to_string())
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve requests, keep the projections up to date, and expire holds.
    Serve(Box<Serve>),
    /// Bring the database up to date.
    Migrate,
    /// Manage API keys.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// Manage the issuers whose access tokens are taken.
    Issuer {
        #[command(subcommand)]
        command: IssuerCommand,
    },
    /// Manage the keys of operators, which are no tenant's.
    OperatorKey {
        #[command(subcommand)]
        command: OperatorKeyCommand,
    },
    /// Manage the keys that wrap the keys of persons.
    MasterKey {
        #[command(subcommand)]
        command: MasterKeyCommand,
    },
    /// Manage tenants.
    Tenant {
        #[command(subcommand)]
        command: TenantCommand,
    },
    /// Book the events of calendars (RFC 5545) and tables (CSV), and change what has changed there since.
    Import(Import),
    /// Manage public holidays.
    Holidays {
        #[command(subcommand)]
        command: HolidaysCommand,
    },
    /// Check that every log is whole, and that the tables derived from it agree with it.
    Verify(Verify),
    /// How far the broker was told the logs.
    Relay {
        #[command(subcommand)]
        command: RelayCommand,
    },
    /// Erasures of clients.
    Erasures {
        #[command(subcommand)]
        command: ErasuresCommand,
    },
    /// Seal what a version of before has written in clear into the log of a tenant, who is suspended meanwhile.
    Seal {
        /// Whose log.
        #[arg(long)]
        tenant: TenantId,
    },
    /// The audit log: who did or was told what.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Check the installation, and say in plain words what is wrong and what to do.
    Doctor,
    /// Ask a server whether it can be sent requests: 0 if it can, 1 and why if not.
    Ready(Ready),
    /// List projections, rebuild them, compare them with the log.
    Projections {
        #[command(subcommand)]
        command: ProjectionsCommand,
    },
    /// Write the log, or a part of it, as a file.
    Export(Export),
    /// Print events as they happened, or what would have become of them under other rules.
    Replay(Replay),
    /// Print the SQL that makes the roles of a database of your own, for a superuser to run in it.
    DatabaseRoles,
    /// Print the OpenAPI document.
    Openapi,
    /// Print the AsyncAPI document, which describes the feed of events.
    Asyncapi,
    /// Print the URL of daybook's own PostgreSQL, for any client, while a server runs on the folder.
    Url,
    /// Open daybook's own PostgreSQL with psql, whether or not a server runs on the folder.
    Psql {
        /// Arguments of psql.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Args)]
pub(crate) struct Serve {
    /// The address to listen on, with a port or without; port 0 takes any free one.
    #[arg(long, env = "DAYBOOK_LISTEN", default_value_t)]
    pub(crate) listen: ListenAddress,
    /// The port to listen on, where the address names none [default: 8080].
    #[arg(long, env = "PORT")]
    pub(crate) port: Option<u16>,
    /// What this program does of all that there is to do: api, projector, relay, reminders, sync, housekeeper. In this
    /// version there is nothing to do for sync.
    #[arg(long, env = "DAYBOOK_ROLES", value_delimiter = ',', default_values_t = Role::ALL)]
    pub(crate) roles: Vec<Role>,
    /// Where /livez, /readyz, /startupz and /metrics are, whatever the roles, for whoever keeps the program running; by
    /// default any free port of this machine, which is printed at the start.
    #[arg(long, env = "DAYBOOK_OPERATIONS_LISTEN", default_value_t = ANY_PORT)]
    pub(crate) operations_listen: SocketAddr,
    /// How many connections of clients may be open: 16 to 60,000. For a new one, the one that has been idle for longest is
    /// closed.
    #[arg(long, env = "DAYBOOK_MAX_CONNECTIONS", value_parser = clap::value_parser!(u16).range(16..=60_000),
          default_value_t = MAX_CONNECTIONS)]
    pub(crate) max_connections: u16,
    /// How many requests a second each key may send to this program; as many may come at once [default: as many as it can
    /// answer].
    #[arg(long, env = "DAYBOOK_REQUESTS_PER_SECOND")]
    pub(crate) requests_per_second: Option<NonZeroU32>,
    /// How many requests a second without a good key may come from one address, or one /64 of IPv6; those of ten seconds may come
    /// at once. 0: as many as come.
    #[arg(long, env = "DAYBOOK_FAILURES_PER_SECOND", default_value_t = FAILURES_PER_SECOND)]
    pub(crate) failures_per_second: u32,
    /// The networks of proxies that say for whom they ask (X-Forwarded-For): 10.0.0.0/8; several with commas between them
    /// [default: none].
    #[arg(long, env = "DAYBOOK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub(crate) trusted_proxies: Vec<Network>,
    /// For how many seconds connections are accepted after the program was told to stop, so that balancers notice: 0 to
    /// 600 [default: 5; 0 on a terminal].
    #[arg(long, env = "DAYBOOK_DRAIN_SECONDS", value_parser = clap::value_parser!(u16).range(0..=600))]
    pub(crate) drain_seconds: Option<u16>,
    /// An origin whose pages may call the API from a browser: a scheme and a host, and the port where it is not the usual
    /// one; several with commas between them; * for any [default: none].
    #[arg(long, env = "DAYBOOK_CORS_ORIGIN", value_delimiter = ',')]
    pub(crate) cors_origin: Vec<CorsOrigin>,
    /// For how many whole months the audit log is kept beside the present one: 1 to 1,200.
    #[arg(long, env = "DAYBOOK_AUDIT_MONTHS", value_parser = clap::value_parser!(u32).range(1..=1_200),
          default_value_t = AUDIT_MONTHS)]
    pub(crate) audit_months: u32,
    /// Take access tokens of issuers on this machine, also without TLS: to try it, and
    /// never where others call.
    #[arg(long, env = "DAYBOOK_ALLOW_INSECURE_ISSUERS")]
    pub(crate) allow_insecure_issuers: bool,
    /// How many MiB of this program's memory answers may take that are cached: 0, none are, to 65,536.
    #[arg(long, env = "DAYBOOK_CACHE_MIB", value_parser = clap::value_parser!(u32).range(0..=65_536),
          default_value_t = CACHE_MIB)]
    pub(crate) cache_mib: u32,
    /// A Redis that programs on one database share for the same: `redis://[[user]:password@]host[:port][/number]`,
    /// `rediss://` for TLS, or `redis+unix:///path` [default: none].
    #[arg(long, env = "DAYBOOK_REDIS_URL", hide_env_values = true)]
    pub(crate) redis_url: Option<String>,
    /// The authorities of which that Redis may have its certificate (PEM) [default: those of the machine].
    #[arg(long, env = "DAYBOOK_REDIS_CA", requires = "redis_url")]
    pub(crate) redis_ca: Option<PathBuf>,
    /// Tell endpoints of webhooks on this machine what happens, also without TLS: to try it, and never where others
    /// have keys. Programs with the roles api and relay both need it.
    #[arg(long, env = "DAYBOOK_ALLOW_INSECURE_WEBHOOKS")]
    pub(crate) allow_insecure_webhooks: bool,
    /// Publish all logs to this broker, by the role relay: `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS
    /// [default: none].
    #[arg(long, env = "DAYBOOK_AMQP_URL", hide_env_values = true)]
    pub(crate) amqp_url: Option<String>,
    /// The authorities of which that broker may have its certificate (PEM) [default: those of the machine].
    #[arg(long, env = "DAYBOOK_AMQP_CA", requires = "amqp_url")]
    pub(crate) amqp_ca: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) smtp: SmtpOptions,
    #[command(flatten)]
    pub(crate) tls: TlsFiles,
    #[command(flatten)]
    pub(crate) moved: Moved,
    /// Make a demo tenant with a small practice in it, and print a key to try.
    #[arg(long)]
    pub(crate) demo: bool,
}

const MAX_CONNECTIONS: u16 = 4_096;

const AUDIT_MONTHS: u32 = 24;
/// A few thousand pages.
const CACHE_MIB: u32 = 64;
/// More than people and their programs mistype, and less than is felt.
const FAILURES_PER_SECOND: u32 = 100;

/// Several programs on one machine do not collide.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What was an option of `serve` and is a setting of each tenant: whoever gives it is told so.
#[derive(Args)]
pub(crate) struct Moved {
    #[arg(long, env = "DAYBOOK_HOLDS_PER_CLIENT", hide = true, value_parser = has_moved)]
    holds_per_client: Option<String>,
    #[arg(long, env = "DAYBOOK_WAITING_OFFER_MINUTES", hide = true, value_parser = has_moved)]
    waiting_offer_minutes: Option<String>,
}

fn has_moved(_: &str) -> Result<String, &'static str> {
    Err("it is a setting of each tenant now: \
         `daybook tenant set TENANT --holds-per-client N --offer-minutes N`")
}

/// A number that its type takes.
pub(crate) fn number<N, T>(text: &str) -> Result<T, String>
where
    N: FromStr<Err = ParseIntError>,
    T: TryFrom<N>,
    T::Error: Display,
{
    let number: N = text.parse().map_err(|error: ParseIntError| error.to_string())?;
    T::try_from(number).map_err(|error| error.to_string())
}

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make an API key, and print it: it is not shown again.
    Create {
        /// Whose log it opens.
        #[arg(long)]
        tenant: TenantId,
        /// Make the tenant, too, if there is none of this name.
        #[arg(long)]
        create_tenant: bool,
        #[command(flatten)]
        good_for: GoodFor,
        #[command(flatten)]
        limits: LimitOptions,
        /// What people call it.
        #[arg(long, value_parser = Name::new)]
        name: Option<Name>,
        /// For how many days it is good: 1 to 3,660 [default: until it is revoked].
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3_660))]
        expires_in_days: Option<u16>,
    },
    /// List a tenant's keys by their ids, which stand in events and in the program's log; those that have ended, too.
    List {
        #[arg(long)]
        tenant: TenantId,
    },
    /// Revoke a key: within a second no program takes it any more, and its streams end.
    Revoke {
        #[arg(long)]
        tenant: TenantId,
        /// Its id.
        key: Uuid,
    },
    /// Make a key that is good for the same as another one, print it, and let the other one end after a while.
    Rotate {
        #[arg(long)]
        tenant: TenantId,
        /// The id of the one that is to end.
        key: Uuid,
        /// For how many hours both are good: 0 to 720.
        #[arg(long, value_parser = clap::value_parser!(u16).range(0..=720), default_value_t = 24)]
        overlap_hours: u16,
        /// For how many days the new one is good: 1 to 3,660 [default: for as long as the other one was to be].
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3_660))]
        expires_in_days: Option<u16>,
    },
}

#[derive(Subcommand)]
pub(crate) enum RelayCommand {
    /// Say of each log how far the broker has confirmed it, and why no further.
    Status,
    /// Publish all logs again, or what comes after a position of one: where a broker is new, or a queue was lost.
    Replay {
        /// Only this tenant's log.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// Only what comes after this position.
        #[arg(long, requires = "tenant", default_value_t = 0)]
        after: u64,
    },
    /// Compare what waits in a queue with the logs, event by event, and leave it there.
    Verify {
        /// Which queue.
        #[arg(long)]
        queue: String,
        /// Of which broker.
        #[arg(long, env = "DAYBOOK_AMQP_URL", hide_env_values = true)]
        amqp_url: String,
        /// The authorities of which that broker may have its certificate (PEM) [default: those of the machine].
        #[arg(long, env = "DAYBOOK_AMQP_CA")]
        amqp_ca: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub(crate) enum IssuerCommand {
    /// Take the access tokens of an issuer from now on, and print its id.
    Add {
        /// Into whose log they lead.
        #[arg(long)]
        tenant: TenantId,
        /// What its tokens have as `iss`: an https URL as the provider writes it.
        #[arg(long)]
        issuer: IssuerUrl,
        /// What its tokens have as `aud`: how the provider calls this tenant's daybook, and no other's.
        #[arg(long)]
        audience: Audience,
        /// How they may be signed, with commas between them: RS256, PS256, ES256, EdDSA.
        #[expect(clippy::doc_markdown, reason = "the help shows it as it is")]
        #[arg(long, value_delimiter = ',', required = true, value_parser = issuer::algorithm)]
        algorithm: Vec<Algorithm>,
        /// Of which type they may be (`typ`): at+jwt, JWT.
        #[arg(long, value_delimiter = ',', default_value = "at+jwt", value_parser = issuer::token_type)]
        token_type: Vec<TokenType>,
        /// Which scopes whoever has a value of a claim has: CLAIM=VALUE=SCOPES, like
        /// scope=daybook:book=availability,book. The claim can be a JSON Pointer. May be given several times.
        #[arg(long, required = true)]
        grant: Vec<GrantText>,
    },
    /// List a tenant's issuers by their ids, with what they give.
    List {
        #[arg(long)]
        tenant: TenantId,
    },
    /// Take no token of an issuer any more: within a second in all programs, and their streams end.
    Remove {
        #[arg(long)]
        tenant: TenantId,
        /// Its id.
        issuer: Uuid,
    },
}

/// What a key is good for.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct GoodFor {
    /// A named set of scopes: read (availability, appointments, analytics, personal), book (and book), manage (and
    /// manage) or admin (all). Of several, the largest counts.
    #[arg(long, value_delimiter = ',')]
    scope: Vec<ScopeSet>,
    /// The scopes themselves, with commas between them: availability, appointments, analytics, personal, book, manage,
    /// privacy, keys, audit. None includes another.
    #[arg(long, value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// What whoever uses it is, who has the scopes for that: front-desk (of some locations or resources), practitioner (of a
    /// resource), client (one), analyst, privacy-officer or auditor.
    #[arg(long)]
    role: Option<KeyRole>,
}

/// Of what of the tenant a key is good for something; what is not given is no limit.
#[derive(Args)]
pub(crate) struct LimitOptions {
    /// Only of what takes place here, letter for letter; can be given up to 100 times.
    #[arg(long, value_parser = Location::new)]
    location: Vec<Location>,
    /// Only of what has one of these resources, by their ids with commas between them: at most 100.
    #[arg(long, value_delimiter = ',')]
    resource: Vec<ResourceId>,
    /// Only of this category, however it is spelt; can be given up to 100 times.
    #[arg(long, value_parser = Category::new)]
    category: Vec<Category>,
    /// Only of this client, by their id.
    #[arg(long)]
    client: Option<ClientId>,
}

impl LimitOptions {
    /// # Errors
    /// When something is given too often.
    pub(crate) fn limits(self) -> Result<Limits, NotAFew> {
        let Self { location, resource, category, client } = self;
        Ok(Limits {
            locations: few(location)?,
            resource_ids: few(resource)?,
            categories: few(category)?,
            client_id: client,
            ..Limits::default()
        })
    }
}

/// `None`: nothing was given.
fn few<T: Ord>(given: Vec<T>) -> Result<Option<Few<T>>, NotAFew> {
    if given.is_empty() { Ok(None) } else { Few::try_from(given).map(Some) }
}

impl GoodFor {
    /// What whoever uses it is, where that was said.
    pub(crate) const fn role(&self) -> Option<KeyRole> {
        self.role
    }

    pub(crate) fn scopes(&self) -> Scopes {
        let sets = self.scope.iter().map(|set| set.scopes());
        let roles = self.role.iter().map(|role| role.scopes());
        sets.chain(roles).fold(self.scopes.iter().copied().collect(), Scopes::and)
    }
}

#[derive(Subcommand)]
pub(crate) enum TenantCommand {
    /// List all tenants, a name a line.
    List,
    /// Make a tenant.
    Create {
        /// Its name: lower-case letters, digits and hyphens.
        tenant: TenantId,
        /// The IANA zone in which its dates are read.
        #[arg(long, default_value_t = Tz::UTC)]
        time_zone: Tz,
        /// What titles are that callers give, from the first one on: public or personal.
        #[arg(long, default_value_t)]
        titles: Titles,
    },
    /// Change what a tenant has chosen; what is not given stays. Programs that run go by it within five seconds.
    Set {
        tenant: TenantId,
        #[command(flatten)]
        settings: SettingsOptions,
    },
    /// Show what a tenant has chosen.
    Show { tenant: TenantId },
    /// Refuse all keys of a tenant from now on, in all programs; its streams end. Nothing else of it changes.
    Suspend { tenant: TenantId },
    /// Take the keys of a suspended tenant again.
    Resume { tenant: TenantId },
    /// Delete all that there is of a suspended tenant: its log, its keys, and what was made of them. It is not undone,
    /// and no other tenant gets its name. What was stopped goes on when it is asked for again.
    Delete {
        tenant: TenantId,
        /// Its name once more.
        #[arg(long, value_name = "NAME")]
        yes: TenantId,
    },
}

#[derive(Subcommand)]
pub(crate) enum OperatorKeyCommand {
    /// Make a key for whoever runs daybook, and print it: it is not shown again. It rebuilds projections and sees the programs,
    /// and opens no tenant's log.
    Create {
        /// What people call it.
        #[arg(long, value_parser = Name::new)]
        name: Option<Name>,
        /// For how many days it is good: 1 to 3,660 [default: until it is revoked].
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=3_660))]
        expires_in_days: Option<u16>,
    },
    /// List operators' keys, those that have ended, too.
    List,
    /// Revoke an operator's key: within a second no program takes it any more.
    Revoke {
        /// Its id.
        key: Uuid,
    },
}

#[derive(Args, Clone)]
#[command(after_help = daybook_integrations::table::HELP)]
pub(crate) struct Import {
    /// A calendar (RFC 5545) or a table (CSV), a folder of them, or - for standard input.
    pub(crate) file: PathBuf,
    /// Into whose log; the tenant is made if need be.
    #[arg(long)]
    pub(crate) tenant: TenantId,
    /// The zone of whole days, and of times that name none, where the file names none either [default:
    /// the tenant's]. A tenant that is made has it.
    #[arg(long)]
    pub(crate) time_zone: Option<Tz>,
    /// What the source is called that is imported again and again: its events are known by this name and by
    /// their UIDs [default: the calendar's name, else --resource, else `calendar`].
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Where events are that name no place: a resource's id, or its name [default: the calendar's name,
    /// else the file's].
    #[arg(long)]
    pub(crate) resource: Option<Home>,
    /// From where the category of events comes that name none: summary-parentheses is `Workshop` of
    /// `Building teams (Workshop)` [default: from nowhere].
    #[arg(long)]
    pub(crate) category_from: Option<CategoryFrom>,
    /// Only say what would happen.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Events that are refused are no failure.
    #[arg(long)]
    pub(crate) allow_refusals: bool,
    /// Each file into a tenant of its own, told in a form for programs.
    #[arg(long, hide = true)]
    pub(crate) apart: bool,
}

#[derive(Subcommand)]
pub(crate) enum HolidaysCommand {
    /// Close resources on the holidays of an iCalendar file (RFC 5545). Those that they observe
    /// already stay; importing the same file again changes nothing.
    Import(ImportHolidays),
}

#[derive(Args)]
pub(crate) struct ImportHolidays {
    /// The file: events of whole days. Those that recur every year are taken for this year and the
    /// next five.
    pub(crate) file: PathBuf,
    /// Whose resources.
    #[arg(long)]
    pub(crate) tenant: TenantId,
    /// The id of a resource; can be given several times.
    #[arg(long, required_unless_present = "all", conflicts_with = "all")]
    pub(crate) resource: Vec<Uuid>,
    /// Every resource that takes bookings.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// Whose log to check [default: all].
    #[arg(long)]
    pub(crate) tenant: Option<TenantId>,
}

#[derive(Subcommand)]
pub(crate) enum ErasuresCommand {
    /// Destroy the keys of those who were erased, as the ledger has it, in a database that was restored from a copy of before. A
    /// server does so by itself before it is ready, and goes on with the rest of each erasure.
    Apply,
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check that nothing in it was changed, taken out or moved.
    Verify {
        /// Whose [default: that of whoever runs daybook, and those of all tenants].
        #[arg(long)]
        tenant: Option<TenantId>,
    },
}

#[derive(Subcommand)]
pub(crate) enum ProjectionsCommand {
    /// Show how far each of them is, and which are left over from other versions of the program.
    List,
    /// Rebuild one from the log in a shadow schema, which is then swapped in for the live one. If another program
    /// is at it already, show how far it is.
    Rebuild {
        #[command(flatten)]
        which: Which,
    },
    /// Rebuild one in a shadow schema, compare its rows with the live ones, and drop it.
    Verify {
        #[command(flatten)]
        which: Which,
    },
    /// Cancel a rebuild.
    Cancel {
        /// Its name.
        name: String,
    },
    /// Drop the schemas that no live program reads (one that has reported in the last minute), and those that
    /// killed programs left behind: shadow schemas, replays under other rules.
    Prune {
        /// Only say what would be dropped.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Args)]
pub(crate) struct Which {
    /// Its name.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) name: Option<String>,
    /// All of them.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Which part of a log.
#[derive(Args)]
pub(crate) struct Part {
    /// Whose log [default: the only one].
    #[arg(long)]
    pub(crate) tenant: Option<TenantId>,
    /// Recorded at this instant (RFC 3339) or later, or on this day (YYYY-MM-DD) or later.
    #[arg(long)]
    pub(crate) from: Option<Boundary>,
    /// Recorded before this instant, or on this day or earlier.
    #[arg(long)]
    pub(crate) to: Option<Boundary>,
    /// The zone of days [default: the tenant's].
    #[arg(long)]
    pub(crate) time_zone: Option<Tz>,
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) part: Part,
    /// Only these types, like `AppointmentBooked`.
    #[arg(long, value_delimiter = ',')]
    pub(crate) event_type: Vec<String>,
    /// ndjson, csv or parquet.
    #[arg(long, default_value = "ndjson")]
    pub(crate) format: Format,
    /// With names, addresses and notes of clients, which are left out otherwise.
    #[arg(long)]
    pub(crate) personal: bool,
    /// The file, which is there when all of it is [default: standard output].
    #[arg(long)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) part: Part,
    /// Only these types, like `AppointmentBooked`.
    #[arg(long, value_delimiter = ',', conflicts_with = "what_if")]
    pub(crate) event_type: Vec<String>,
    /// So many times as fast as they happened [default: at once].
    #[arg(long, value_parser = speed, conflicts_with = "what_if")]
    pub(crate) speed: Option<f64>,
    /// With names, addresses and notes of clients, which are left out otherwise.
    #[arg(long, conflicts_with = "what_if")]
    pub(crate) personal: bool,
    /// Run the recorded commands under the rules of this file (TOML), and say what would have been
    /// different. They hold from `--from` on.
    #[arg(long)]
    pub(crate) what_if: Option<PathBuf>,
    /// Say it as JSON.
    #[arg(long, requires = "what_if")]
    pub(crate) json: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|error: ParseFloatError| error.to_string())?;
    let fits = (0.001..=1_000_000_000.0).contains(&speed);
    fits.then_some(speed).ok_or_else(|| "it is 0.001 to 1,000,000,000".to_owned())
}
