//! Batches: how fast tasks are accepted. Each connection has a few batches on the way, and each
//! acknowledgement is counted.

use std::fmt::Write as _;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use memchr::memmem::Finder;
use tareas_client::{Address, Error, Pipeline, Result};

use super::lines::NUMBERS;
use super::stop::Stop;
use super::{Plan, Run};

/// Batches without an answer, per connection.
const ON_THE_WAY: u64 = 4;
const SILENCE_MAX: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn run(plan: &Plan, size: u32, address: &Address) -> Result<Run> {
    let line = line(size);
    let start = Barrier::new(plan.connections);
    let mut pipelines = Vec::new();
    for _ in 0..plan.connections {
        pipelines.push(Pipeline::connect(address, CONNECT_TIMEOUT)?);
    }
    let mut run = Run::default();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (index, pipeline) in pipelines.into_iter().enumerate() {
            let (line, start) = (&line, &start);
            threads.push(scope.spawn(move || {
                start.wait();
                let stop = Stop::of(plan.tasks, plan.duration, index, plan.connections);
                connection(pipeline, line, u64::from(size), stop)
            }));
        }
        for thread in threads {
            let lost = || Error::ConnectionLost {
                address: address.clone(),
                task_id: None,
            };
            run.add(thread.join().map_err(|_| lost())?.map_err(|_| lost())?);
        }
        Ok(run)
    })
}

/// One batch; every batch is the same.
fn line(size: u32) -> String {
    let mut line = "{\"cmd\":\"batch\",\"wait\":false,\"tasks\":[".to_owned();
    for index in 0..u64::from(size) {
        let comma = if index == 0 { "" } else { "," };
        // Writing to memory cannot fail.
        let _ = write!(
            line,
            "{comma}{{\"op\":\"square\",\"n\":{}}}",
            index % NUMBERS
        );
    }
    line + "]}\n"
}

fn connection(pipeline: Pipeline, line: &str, size: u64, stop: Stop) -> std::io::Result<Run> {
    let (mut writer, mut reader) = pipeline.split()?;
    reader.set_timeout(Some(SILENCE_MAX))?;
    let status = Finder::new(b"\"status\":\"");
    let (mut sent, mut answered, mut run) = (0, 0, Run::default());
    let began = Instant::now();
    loop {
        while sent - answered < ON_THE_WAY && stop.left(sent * size) > 0 {
            writer.write(line.as_bytes())?;
            sent += 1;
        }
        if sent == answered {
            break;
        }
        let lines = reader.read()?;
        if lines.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        for answer in lines.split_inclusive(|byte| *byte == b'\n') {
            let accepted = status.find_iter(answer).count() as u64;
            answered += 1;
            run.tasks += accepted;
            if accepted != size {
                run.wrong += size.abs_diff(accepted);
                let text = || String::from_utf8_lossy(answer).chars().take(300).collect();
                run.first_wrong.get_or_insert_with(text);
            }
        }
    }
    run.elapsed = began.elapsed();
    Ok(run)
}
