//! Answers that take long: a task writes them piece by piece, as fast as the client reads.
//!
//! Between the task and the connection is one piece at most, so a client that reads slowly costs no memory. An answer that
//! its writer did not finish breaks the connection: the client sees that it is not whole.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use actix_web::web::Bytes;
use futures_util::{
    Stream,
    future::{Either, select},
    stream::poll_fn,
};
use tokio::sync::{mpsc, watch};

/// The answer ended before it was whole.
#[derive(Debug, thiserror::Error)]
#[error("the answer ended before it was whole")]
pub struct Broken;

/// Why nothing more can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client has gone.
    Gone,
    /// The client read nothing for too long.
    TooSlow,
    /// The server stops.
    Stopping,
}

/// Writes the body of an answer.
pub struct BodyWriter {
    sender: mpsc::Sender<Bytes>,
    finished: Arc<AtomicBool>,
    stopping: watch::Receiver<bool>,
    patience: Duration,
}

/// A writer and what it writes. It gives up on a client that reads nothing for `patience`, and when `stopping` is true.
pub fn body(
    stopping: watch::Receiver<bool>,
    patience: Duration,
) -> (BodyWriter, impl Stream<Item = Result<Bytes, Broken>> + 'static) {
    let (sender, mut receiver) = mpsc::channel(1);
    let finished = Arc::new(AtomicBool::new(false));
    let is_whole = finished.clone();
    let mut ended = false;
    let stream = poll_fn(move |context| match receiver.poll_recv(context) {
        Poll::Ready(None) if !ended && !is_whole.load(Ordering::Acquire) => {
            ended = true;
            Poll::Ready(Some(Err(Broken)))
        }
        piece => piece.map(|piece| piece.map(Ok)),
    });
    (BodyWriter { sender, finished, stopping, patience }, stream)
}

impl BodyWriter {
    /// Waits until the client has read what was written before, and writes a piece.
    ///
    /// # Errors
    /// Nothing more can be written.
    pub async fn write(&mut self, piece: impl Into<Bytes>) -> Result<(), Ended> {
        let Self { sender, stopping, patience, .. } = self;
        let written = pin!(tokio::time::timeout(*patience, sender.send(piece.into())));
        match select(written, pin!(stops(stopping))).await {
            Either::Left((Ok(Ok(())), _)) => Ok(()),
            Either::Left((Ok(Err(_)), _)) => Err(Ended::Gone),
            Either::Left((Err(_), _)) => Err(Ended::TooSlow),
            Either::Right(_) => Err(Ended::Stopping),
        }
    }

    /// Waits for some time.
    ///
    /// # Errors
    /// At once when nothing more can be written.
    pub async fn pause(&mut self, time: Duration) -> Result<(), Ended> {
        let Self { sender, stopping, .. } = self;
        let gone = pin!(sender.closed());
        let stops = pin!(stops(stopping));
        match select(pin!(tokio::time::sleep(time)), select(gone, stops)).await {
            Either::Left(_) => Ok(()),
            Either::Right((Either::Left(_), _)) => Err(Ended::Gone),
            Either::Right((Either::Right(_), _)) => Err(Ended::Stopping),
        }
    }

    /// Ends the answer, which is whole.
    pub fn finish(self) {
        self.finished.store(true, Ordering::Release);
    }
}

/// Waits until the server stops.
async fn stops(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        // Nobody can say so any more.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(50);

    fn run(story: impl Future<Output = ()>) {
        actix_web::rt::System::new().block_on(story);
    }

    #[test]
    fn only_what_was_finished_ends_as_if_it_were_whole() {
        run(async {
            let (_stop, stopping) = watch::channel(false);
            for finishes in [true, false] {
                let (mut writer, mut body) = body(stopping.clone(), PATIENCE);
                writer.write("a").await.expect("there is room");
                if finishes {
                    writer.finish();
                } else {
                    drop(writer);
                }
                assert_eq!(body.next().await.expect("a piece").expect("well").as_ref(), b"a");
                assert_eq!(body.next().await.is_some_and(|piece| piece.is_err()), !finishes);
                assert!(body.next().await.is_none());
            }
        });
    }

    #[test]
    fn a_writer_learns_why_it_has_to_end() {
        run(async {
            let (stop, stopping) = watch::channel(false);
            let (mut writer, unread) = body(stopping.clone(), PATIENCE);
            writer.write("a").await.expect("there is room");
            assert_eq!(writer.write("b").await, Err(Ended::TooSlow));
            assert_eq!(writer.pause(Duration::ZERO).await, Ok(()));
            drop(unread);
            assert_eq!(writer.write("b").await, Err(Ended::Gone));
            assert_eq!(writer.pause(Duration::from_secs(60)).await, Err(Ended::Gone));
            let (mut writer, _unread) = body(stopping, Duration::from_secs(60));
            writer.write("a").await.expect("there is room");
            stop.send_replace(true);
            assert_eq!(writer.write("b").await, Err(Ended::Stopping));
            assert_eq!(writer.pause(Duration::from_secs(60)).await, Err(Ended::Stopping));
        });
    }
}
