//! An answer keeps its request's place until it has been taken: who reads slowly is still under way.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

use super::in_flight::Place;

/// How much is handed over at once. What is handed over is a copy of the connection's, which takes about six of
/// these; the rest waits here, and so does the place.
const PART_BYTES: usize = 64 * 1024;

/// A body that has the place of its request.
struct HeldBody {
    body: Body,
    /// What has come of the body and has not been handed over.
    rest: Bytes,
    _place: Arc<Place>,
}

/// The same body, which gives the place back when its last part has been taken, or when the client has gone.
pub(super) fn held(body: Body, place: Arc<Place>) -> Body {
    Body::new(HeldBody { body, rest: Bytes::new(), _place: place })
}

impl http_body::Body for HeldBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            let next = ready!(Pin::new(&mut this.body).poll_frame(context));
            let Some(frame) = next.transpose()? else { return Poll::Ready(None) };
            match frame.into_data() {
                Ok(data) => this.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        let part = this.rest.split_to(this.rest.len().min(PART_BYTES));
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use http_body::Body as _;

    use super::super::in_flight::{InFlight, MAX_REQUESTS_IN_FLIGHT};
    use super::*;

    /// How many more requests there is room for.
    fn room(in_flight: &InFlight) -> usize {
        let mut places = Vec::new();
        while let Ok(place) = in_flight.enter() {
            places.push(place);
        }
        places.len()
    }

    #[tokio::test]
    async fn the_place_is_kept_until_the_last_part_is_taken_or_nobody_takes_it() {
        let in_flight = InFlight::default();
        let large = Bytes::from(vec![7; 2 * PART_BYTES + 1]);
        let body = held(large.clone().into(), Arc::new(in_flight.enter().unwrap()));
        assert_eq!(body.size_hint().exact(), Some(large.len() as u64));
        let mut parts = body.into_data_stream();
        let mut taken = Vec::new();
        for _ in 0..2 {
            taken.extend(parts.next().await.unwrap().unwrap());
            assert_eq!(room(&in_flight), MAX_REQUESTS_IN_FLIGHT - 1);
        }
        taken.extend(parts.next().await.unwrap().unwrap());
        assert!(parts.next().await.is_none());
        drop(parts);
        assert_eq!((taken.len(), room(&in_flight)), (large.len(), MAX_REQUESTS_IN_FLIGHT));
        let hung_up = held(large.into(), Arc::new(in_flight.enter().unwrap()));
        drop(hung_up);
        assert_eq!(room(&in_flight), MAX_REQUESTS_IN_FLIGHT);
    }

    #[test]
    fn an_empty_body_stays_one() {
        let body = held(Body::empty(), Arc::new(InFlight::default().enter().unwrap()));
        assert!(body.is_end_stream());
    }
}
