//! What waits in a queue.

use std::time::Duration;

use futures::StreamExt as _;
use lapin::options::{BasicConsumeOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use tokio::time::timeout;

use super::{Broker, BrokerError, DONE};

/// How long the next message of a queue may take.
const TIMEOUT: Duration = Duration::from_secs(20);

impl Broker {
    /// Hands over all messages that wait in a queue, in their order, and leaves them in it: how many there were.
    ///
    /// # Errors
    /// When the broker cannot be reached, has no such queue, or others read it: what they have is not there.
    pub async fn waiting_in(
        &self,
        queue: &str,
        mut each: impl FnMut(&[u8]),
    ) -> Result<u32, BrokerError> {
        let closed = |_| BrokerError::Closed;
        let connection = self.connected().await?;
        let channel = connection.create_channel().await.map_err(closed)?;
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
        let declared = declared.map_err(|_| BrokerError::NoQueue)?;
        if declared.consumer_count() > 0 {
            return Err(BrokerError::IsRead);
        }
        let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = channel.basic_consume(queue.into(), "".into(), options, none).await;
        let mut consumer = consumer.map_err(closed)?;
        for _ in 0..declared.message_count() {
            let next =
                timeout(TIMEOUT, consumer.next()).await.map_err(|_| BrokerError::TimedOut)?;
            each(&next.ok_or(BrokerError::Closed)?.map_err(closed)?.data);
        }
        // What was not acknowledged goes back to where it was.
        channel.close(DONE, "".into()).await.map_err(closed)?;
        Ok(declared.message_count())
    }
}
