use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// More than the system keeps for a client that reads nothing.
const LARGE: usize = 64 << 20;

/// Longer than any step takes by itself.
const LONG: Duration = Duration::from_mins(2);

/// A listener with so much room, what ends it, and requests to `/waits`: how many there are, and how many may be
/// answered.
struct Listening {
    address: SocketAddr,
    stop: Stop,
    asked: Arc<Semaphore>,
    may_answer: Arc<Semaphore>,
    ended: JoinHandle<()>,
}

impl Listening {
    async fn with_room_for(connections: usize) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        let listener = Listener::bind(address, "--listen", connections).await.unwrap();
        let stop = Stop::default();
        let [asked, may_answer] = [(); 2].map(|()| Arc::new(Semaphore::new(0)));
        let (is_asked, waits) = (Arc::clone(&asked), Arc::clone(&may_answer));
        let routes = Router::new()
            .route("/small", get(async || "small"))
            .route("/large", get(async || Bytes::from(vec![b'x'; LARGE])))
            .route(
                "/waits",
                get(async move || {
                    is_asked.add_permits(1);
                    waits.acquire().await.unwrap().forget();
                    "waited"
                }),
            );
        let address = listener.address().unwrap();
        let ended = tokio::spawn(listener.answer(routes, stop.clone()));
        Self { address, stop, asked, may_answer, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection on which this was asked for.
    async fn asks(&self, path: &str) -> TcpStream {
        let mut connection = self.connect().await;
        ask(&mut connection, path).await;
        connection
    }
}

async fn ask(connection: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: daybook\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
}

/// Reads until the text has come; what came up to then.
async fn read_to(connection: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    let reads = async {
        while !String::from_utf8_lossy(&read).contains(text) {
            let mut byte = [0];
            connection.read_exact(&mut byte).await.expect("it is not closed");
            read.extend(byte);
        }
    };
    timeout(LONG, reads).await.expect("it comes");
    String::from_utf8(read).unwrap()
}

/// All that comes until the connection is closed.
async fn rest(connection: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    timeout(LONG, connection.read_to_end(&mut rest)).await.expect("it is closed").unwrap();
    rest
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_not_taken_its_answer_yet_keeps_its_connection_and_one_that_is_idle_goes() {
    let listening = Listening::with_room_for(2).await;
    let mut slow = listening.asks("/large").await;
    read_to(&mut slow, "\r\n\r\n").await;
    let mut idle = listening.asks("/small").await;
    read_to(&mut idle, "small").await;
    let mut new = listening.asks("/small").await;
    read_to(&mut new, "small").await;
    assert_eq!(rest(&mut idle).await, b"");
    let mut answer = vec![0; LARGE];
    timeout(LONG, slow.read_exact(&mut answer)).await.unwrap().expect("it is not cut off");
    // It is idle now, and the one that was idle before it goes before it.
    let mut newest = listening.asks("/small").await;
    read_to(&mut newest, "small").await;
    assert_eq!(rest(&mut new).await, b"");
    ask(&mut slow, "/small").await;
    read_to(&mut slow, "small").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_room_when_the_program_stops_is_answered() {
    let listening = Listening::with_room_for(1).await;
    let mut busy = listening.asks("/waits").await;
    // Else it would be idle still, and make room.
    timeout(LONG, listening.asked.acquire()).await.expect("it is asked").unwrap().forget();
    // Accepted without room, and still with the system.
    let mut waiting = [listening.asks("/small").await, listening.asks("/small").await];
    // Time enough to be accepted; where it is not, this proves less.
    tokio::time::sleep(Duration::from_millis(300)).await;
    listening.stop.draining.cancel();
    listening.stop.closing.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    listening.may_answer.add_permits(1);
    read_to(&mut busy, "waited").await;
    for connection in &mut waiting {
        read_to(connection, "small").await;
    }
    timeout(LONG, listening.ended).await.expect("it ends").unwrap();
}
