//! A bare server to compare with: it reads the same lines over the same sockets and answers the
//! same results, and does nothing else. No queue, no pool, no disk.
//!
//! Machines differ and are noisy; the ratio to this says what the task system itself costs.

use std::io::Write;

use tareas_protocol::code::exit;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Threads of it: as many as a task server has for its sockets on two cores.
const THREADS: usize = 2;
/// Bytes of one read.
const READ_BYTES: usize = 256 * 1024;

/// Serves until the process is ended. Says where on standard error, as a task server does.
pub(crate) fn serve() -> u8 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_io()
        .build();
    let served = runtime.and_then(|runtime| runtime.block_on(accept()));
    match served {
        Ok(()) => exit::OK,
        Err(error) => {
            // Nobody else would say why.
            let _ = writeln!(std::io::stderr(), "{error}");
            exit::UNREACHABLE
        }
    }
}

async fn accept() -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(std::io::stderr(), "tcp://{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut read, mut answers) = (Vec::new(), Vec::new());
    loop {
        read.reserve(READ_BYTES.min(read.len() + 4_096));
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        let end = memchr::memrchr(b'\n', &read).map_or(0, |at| at + 1);
        for line in read[..end].split_inclusive(|byte| *byte == b'\n') {
            square(line, &mut answers);
        }
        read.drain(..end);
        stream.write_all(&answers).await?;
        answers.clear();
    }
}

/// Answers `square 5` or `{"op":"square","n":5}`, in the form of the line.
fn square(line: &[u8], answers: &mut Vec<u8>) {
    let digits = line.iter().filter(|byte| byte.is_ascii_digit());
    let number = digits.fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let result = number * number;
    // Writing to memory cannot fail.
    let _ = match line.first() {
        Some(b'{') => writeln!(answers, "{{\"status\":\"succeeded\",\"result\":{result}}}"),
        _ => writeln!(answers, "{result}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::check;

    #[test]
    fn it_answers_as_a_task_server_would() {
        for line in ["square 12\n", "{\"op\":\"square\",\"n\":12}\n"] {
            let mut answers = Vec::new();
            square(line.as_bytes(), &mut answers);
            let answer = answers.strip_suffix(b"\n").unwrap();
            assert!(!check::is_acknowledgement(answer));
            assert_eq!(check::result(answer), Some(144));
        }
    }
}
