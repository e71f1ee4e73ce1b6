//! Watches the process that takes inputs: what ends it, and how long one input takes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::Duration;

use super::input::Kind;
use super::options::Options;
use super::progress::{Clock, Progress};

/// Processor time that an input may take, in seconds.
const CPU_SECONDS_MAX: f64 = if cfg!(debug_assertions) { 40.0 } else { 8.0 };
/// Wall-clock time that it may take on a busy machine.
const WALL_MAX: Duration = Duration::from_secs(300);
/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// From one line about how far it is to the next.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Takes all inputs, and tells what was found.
pub fn watch(options: &Options) -> ExitCode {
    let folder = Folder::new();
    if let (Some(number), Some(corpus)) = (options.only, options.write.clone()) {
        let options = Options { corpus, ..options.clone() };
        println!("{}", folder.kept(&options, number));
        return ExitCode::SUCCESS;
    }
    let clock = Clock::start();
    let (mut total, mut from, mut deaths) = (Progress::default(), options.only.unwrap_or(0), 0);
    loop {
        let (end, progress) = Worker::begin(options, &folder, from, &clock).watched(&total);
        total = total.and(&progress);
        let why = match end {
            End::Exit(status) if status.success() => break,
            End::Exit(status) => format!("it ends the process: {status}"),
            End::Hung(seconds) => format!("it takes more than {seconds:.0} s"),
        };
        deaths += 1;
        let kept = folder.kept(options, progress.number);
        println!("input {}: {}\n  {why}\n  {}", progress.number, kept, folder.last_words());
        let is_late = options.until().is_some_and(|until| clock.elapsed() >= until);
        if deaths >= options.most || options.only.is_some() || is_late {
            break;
        }
        from = progress.number + 1;
    }
    let found = fs::read_to_string(folder.0.join("findings.txt")).unwrap_or_default();
    print!("{found}");
    tell(&total, clock.elapsed());
    match found.is_empty() && deaths == 0 {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn tell(total: &Progress, time: Duration) {
    for ((_, name, _), (count, micros)) in Kind::ALL.into_iter().zip(total.kinds) {
        if count > 0 {
            let rate = count.saturating_mul(1_000_000) / micros.max(1);
            println!("{name:12} {count:>10} inputs, {rate:>7} a second");
        }
    }
    let Progress { accepted, tours, memory, slowest: (micros, which), .. } = total;
    let (seconds, megabytes) = (time.as_secs(), memory >> 20);
    println!(
        "{accepted} scenarios accepted and run, {tours} of them through all commands; at most \
         {megabytes} MiB; slowest: input {which}, {} ms; {seconds} s in all",
        micros / 1_000
    );
}

/// Where the process works, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = base.join(format!("ftsim-fuzz-{}", std::process::id()));
        let here = Self(folder);
        fs::create_dir_all(here.inside()).expect("a folder can be made");
        here
    }

    /// Deep enough that a name such as `../victim` does not lead out of it.
    fn inside(&self) -> PathBuf {
        self.0.join("a/b/c")
    }

    /// Writes the input with this number into the corpus.
    fn kept(&self, options: &Options, number: u64) -> String {
        let options = Options { only: Some(number), ..options.clone() };
        let mut command = command(&options, self, number);
        command.arg("--write").arg(std::path::absolute(&options.corpus).unwrap_or_default());
        let done = command.status();
        match done {
            Ok(status) if status.success() => format!("kept in {}", options.corpus.display()),
            _ => "cannot be kept".to_owned(),
        }
    }

    /// What the process has said on its standard error.
    fn last_words(&self) -> String {
        let said = fs::read(self.0.join("stderr")).unwrap_or_default();
        let said = String::from_utf8_lossy(&said[..said.len().min(2_000)]).into_owned();
        said.trim_end().replace('\n', "\n  ")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is in the folder of temporary files anyway.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This program, as the process that takes inputs.
fn command(options: &Options, folder: &Folder, from: u64) -> Command {
    let stream = |name: &str| {
        let file = File::options().create(true).append(true).open(folder.0.join(name));
        file.expect("the folder can be written")
    };
    let program = std::env::current_exe().expect("this program is a file");
    let mut command = Command::new(program);
    command.args(options.arguments());
    command.arg("--folder").arg(&folder.0).args(["--from", &from.to_string()]);
    command.current_dir(folder.inside()).stdout(stream("stdout")).stderr(stream("stderr"));
    command
}

/// How the process ended.
enum End {
    Exit(ExitStatus),
    Hung(f64),
}

/// The process that takes inputs.
struct Worker<'f> {
    folder: &'f Folder,
    child: Child,
    clock: &'f Clock,
}

impl<'f> Worker<'f> {
    fn begin(options: &Options, folder: &'f Folder, from: u64, clock: &'f Clock) -> Self {
        let _ = fs::remove_file(folder.0.join("progress"));
        let child = command(options, folder, from).spawn().expect("this program can be started");
        Self { folder, child, clock }
    }

    /// Waits for its end, and brings it about where one input takes too long.
    fn watched(mut self, before: &Progress) -> (End, Progress) {
        let mut last = (Progress::default(), self.cpu_seconds(), self.clock.elapsed());
        let mut tell_at = self.clock.elapsed() + TELL_EVERY;
        loop {
            std::thread::sleep(LOOK_EVERY);
            let exit = self.child.try_wait().expect("a child can be waited for");
            let progress = self.progress();
            if let Some(status) = exit {
                return (End::Exit(status), progress);
            }
            let now = (progress, self.cpu_seconds(), self.clock.elapsed());
            if progress.number != last.0.number || progress.count == 0 {
                last = now;
            }
            let (cpu, wall) = (now.1 - last.1, now.2 - last.2);
            if cpu > CPU_SECONDS_MAX || wall > WALL_MAX {
                self.child.kill().expect("a child can be killed");
                self.child.wait().expect("a child can be waited for");
                return (End::Hung(cpu.max(CPU_SECONDS_MAX)), progress);
            }
            if now.2 > tell_at {
                tell_at = now.2 + TELL_EVERY;
                let total = before.and(&progress);
                let done: u64 = total.kinds.iter().map(|(count, _)| count).sum();
                eprintln!("{done} inputs, {} s", now.2.as_secs());
            }
        }
    }

    fn progress(&self) -> Progress {
        let bytes = fs::read(self.folder.0.join("progress")).unwrap_or_default();
        Progress::of_bytes(&bytes).unwrap_or_default()
    }

    /// Processor time so far; wall-clock time where the system does not tell.
    fn cpu_seconds(&self) -> f64 {
        const TICKS_A_SECOND: f64 = 100.0;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let ticks = stat.ok().and_then(|stat| {
            let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
            Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
        });
        ticks.map_or_else(|| self.clock.elapsed().as_secs_f64(), |ticks| ticks / TICKS_A_SECOND)
    }
}
