//! A network between a program and its database, which can be cut without anybody's knowledge.

use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use super::House;

/// A way to the database. While it is blocked, whatever is sent is lost and nobody is told.
pub(crate) struct Wire {
    port: u16,
    blocked: watch::Sender<bool>,
    cut: Arc<Mutex<Option<Cut>>>,
    database: String,
    username: String,
}

/// Where the next connection that commits is cut, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The database never hears of the commit.
    BeforeTheCommit,
    /// The database commits, and the program never hears of it.
    AfterTheCommit,
    /// The database never hears of a batch that is one statement and commits by itself.
    BeforeTheBatch,
    /// The database commits such a batch, and the program never hears of it.
    AfterTheBatch,
}

impl Cut {
    /// What is sent where it cuts.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::BeforeTheCommit | Self::AfterTheCommit => b"COMMIT",
            // Part of every appointment's first event.
            Self::BeforeTheBatch | Self::AfterTheBatch => b"AppointmentBooked",
        }
    }

    fn is_heard(self) -> bool {
        matches!(self, Self::AfterTheCommit | Self::AfterTheBatch)
    }
}

impl Wire {
    pub(crate) async fn to(house: &House) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let blocked = watch::Sender::new(false);
        let watched = blocked.subscribe();
        let cut = Arc::new(Mutex::new(None));
        let scissors = Arc::clone(&cut);
        let options = house.options();
        let folder = options.get_socket().unwrap();
        let socket = folder.join(format!(".s.PGSQL.{}", options.get_port()));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(carry(client, server, watched.clone(), Arc::clone(&scissors)));
            }
        });
        let database = options.get_database().unwrap().to_owned();
        Self { port, blocked, cut, database, username: options.get_username().to_owned() }
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(&self.username)
            .database(&self.database)
            .ssl_mode(PgSslMode::Disable)
    }

    pub(crate) fn block(&self) {
        self.blocked.send_replace(true);
    }

    /// Cuts the next connection that commits.
    pub(crate) fn cut(&self, cut: Cut) {
        *self.cut.lock().unwrap() = Some(cut);
    }

    /// Whether it has done so.
    pub(crate) fn has_cut(&self) -> bool {
        self.cut.lock().unwrap().is_none()
    }

    pub(crate) fn mend(&self) {
        self.blocked.send_replace(false);
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: UnixStream,
    mut blocked: watch::Receiver<bool>,
    cut: Arc<Mutex<Option<Cut>>>,
) {
    tokio::select! {
        biased;
        _ = blocked.wait_for(|blocked| *blocked) => {}
        _ = forward(&mut client, &mut server, &cut) => return,
    }
    // Each end believes that the other is there.
    let _ = blocked.wait_for(|blocked| !blocked).await;
}

async fn forward(
    client: &mut TcpStream,
    server: &mut UnixStream,
    cut: &Mutex<Option<Cut>>,
) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let sent = &asked[..read?];
                let cut = cut.lock().unwrap().take_if(|cut| {
                    let mark = cut.mark();
                    sent.windows(mark.len()).any(|bytes| bytes == mark)
                });
                if sent.is_empty() || cut.is_some_and(|cut| !cut.is_heard()) {
                    return Ok(());
                }
                server.write_all(sent).await?;
                if cut.is_some_and(Cut::is_heard) {
                    server.readable().await?;
                    return Ok(());
                }
            }
            read = server.read(&mut answered) => {
                let sent = &answered[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                client.write_all(sent).await?;
            }
        }
    }
}
