//! One timer per connection, set again only when it has to ring earlier than it would.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// Rings at an instant that may change from poll to poll.
#[derive(Debug)]
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    /// An alarm that rings at `at`, if nothing else is said.
    pub(super) fn new(at: Instant) -> Self {
        Self {
            sleep: Box::pin(sleep_until(at)),
        }
    }

    /// Ready once `at` has come. When `at` moves away, the timer is left as it is and looked at
    /// again when it rings: setting a timer costs more than ringing once too often.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, at: Instant) -> Poll<()> {
        if at < self.sleep.deadline() {
            self.sleep.as_mut().reset(at);
        }
        loop {
            match self.sleep.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if Instant::now() >= at => return Poll::Ready(()),
                Poll::Ready(()) => self.sleep.as_mut().reset(at),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_rings_at_the_latest_instant_that_was_said() {
        let start = Instant::now();
        let mut alarm = Alarm::new(start + Duration::from_secs(60));
        let soon = start + Duration::from_millis(5);
        let later = start + Duration::from_millis(20);
        assert!(
            poll_fn(|cx| Poll::Ready(alarm.poll(cx, soon)))
                .await
                .is_pending()
        );
        poll_fn(|cx| alarm.poll(cx, later)).await;
        assert!(Instant::now() >= later);
    }
}
