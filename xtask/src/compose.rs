//! `cargo xtask compose-test`: the deployment of `deploy/compose/test.yml` on the Docker engine that `docker` speaks to, with clients
//! who book while each container is killed once.
//!
//! It is no step of `cargo xtask test`: a machine that builds need not have an engine. What the files say is held by tests.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::python;
use crate::shell::{Failure, not_started, output, root, run, say, succeeds};
use crate::steps::Steps;

const PROJECT: &str = "daybook-compose-test";

/// Those that are killed, one after the other. The balancer is the clients' own, and its clients ask again.
const KILLED: [&str; 9] = [
    "api",
    "projector",
    "relay",
    "reminders",
    "redis",
    "broker",
    "standby",
    "postgres",
    "balancer",
];

/// How many bookings are acknowledged before, between and after kills.
const BETWEEN: usize = 100;

/// How long that may take, with a start of the container that was killed in it.
const PATIENCE: Duration = Duration::from_mins(3);

/// Brings it up, and takes it down again, also where it fails.
pub(crate) fn test() -> Result<(), Failure> {
    if !succeeds(Command::new("docker").args(["compose", "version"])) {
        return Err(Failure::new(
            "there is no `docker compose` that runs: it needs a Docker engine",
        ));
    }
    let place = Place::new()?;
    let mut steps = Steps::default();
    let outcome = place.all_steps(&mut steps);
    if outcome.is_err() {
        let _ = run(&mut place.compose(&["ps", "--all"]));
        let _ = run(&mut place.compose(&["logs", "--tail", "20"]));
    }
    let down =
        steps.take("down", || run(&mut place.compose(&["down", "--volumes", "--timeout", "60"])));
    say(&steps.summary());
    outcome.and(down)
}

struct Place {
    folder: PathBuf,
    url: String,
    port: String,
}

impl Place {
    fn new() -> Result<Self, Failure> {
        let folder = python::target()?.join("compose-test");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        }
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let port = env::var("DAYBOOK_PORT").unwrap_or_else(|_| "18080".to_owned());
        Ok(Self { folder, url: format!("http://127.0.0.1:{port}"), port })
    }

    fn compose(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", PROJECT, "--file", "deploy/compose/test.yml"]);
        command.env("DAYBOOK_SECRETS", self.folder.join("secrets")).env("DAYBOOK_PORT", &self.port);
        command.args(arguments).current_dir(root());
        command
    }

    fn all_steps(&self, steps: &mut Steps) -> Result<(), Failure> {
        steps.take("secrets", || {
            let make = Command::new("sh")
                .arg("deploy/compose/secrets.sh")
                .arg(self.folder.join("secrets"))
                .arg("postgres:5432,standby:5432")
                .current_dir(root())
                .status();
            let succeeded = make.is_ok_and(|status| status.success());
            if succeeded { Ok(()) } else { Err(Failure::new("deploy/compose/secrets.sh failed")) }
        })?;
        steps.take("up", || run(&mut self.compose(&["up", "--detach", "--wait"])))?;
        // The relay passes over nothing: without a queue, it stands at the first event.
        steps.take("queues", || {
            let import = ["rabbitmqctl", "import_definitions", "/etc/rabbitmq/daybook.json"];
            run(&mut self.compose(&[&["exec", "--no-TTY", "broker"], &import[..]].concat()))
        })?;
        let key = steps.take("key", || {
            self.in_api(&[
                "key",
                "create",
                "--create-tenant",
                "--tenant",
                "practice",
                "--scope",
                "admin",
            ])
        })?;
        let mut clients = self.clients(key.trim())?;
        let killed = self.kills(steps, &mut clients);
        fs::write(self.folder.join("stop"), "").map_err(|error| failed(&self.folder, &error))?;
        let told = clients.wait_with_output();
        killed?;
        let told = told.map_err(|error| failed(&self.folder, &error))?;
        say(String::from_utf8_lossy(&told.stdout).trim());
        if !told.status.success() {
            return Err(Failure::new(format!("the clients: {}", told.status)));
        }
        steps.take("published", || self.published())?;
        steps.take("verify", || self.in_api(&["verify"]).map(|said| say(said.trim())))?;
        steps.take("projections", || {
            self.in_api(&["projections", "verify", "--all"]).map(|said| say(said.trim()))
        })
    }

    fn in_api(&self, arguments: &[&str]) -> Result<String, Failure> {
        let exec = [&["exec", "--no-TTY", "api", "daybook"], arguments].concat();
        let said = output(&mut self.compose(&exec))?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    fn clients(&self, key: &str) -> Result<Child, Failure> {
        let mut command = Command::new("python3");
        command.arg("deploy/compose/drive.py").args([&self.url, key]).arg(&self.folder);
        command.current_dir(root()).stdout(Stdio::piped());
        let shown = "python3 deploy/compose/drive.py";
        command.spawn().map_err(|error| not_started(shown, &error))
    }

    fn kills(&self, steps: &mut Steps, clients: &mut Child) -> Result<(), Failure> {
        self.booked_more(clients)?;
        for service in KILLED {
            steps.take(service, || {
                run(&mut self.compose(&["kill", service]))?;
                // An engine starts what has crashed, and not what it was told to kill.
                run(&mut self.compose(&["up", "--detach", "--no-recreate", "--wait", service]))?;
                self.booked_more(clients)
            })?;
        }
        steps.take("scale", || {
            let three = ["up", "--detach", "--no-recreate", "--wait", "--scale", "api=3", "api"];
            run(&mut self.compose(&three))?;
            self.booked_more(clients)
        })
    }

    /// Waits until so many more bookings were acknowledged.
    fn booked_more(&self, clients: &mut Child) -> Result<(), Failure> {
        let (began, before) = (Instant::now(), self.booked());
        while self.booked() < before + BETWEEN {
            if let Ok(Some(status)) = clients.try_wait() {
                return Err(Failure::new(format!("the clients ended: {status}")));
            }
            if began.elapsed() > PATIENCE {
                return Err(Failure::new(format!(
                    "{BETWEEN} bookings took longer than {PATIENCE:?}"
                )));
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Waits until the broker has confirmed all that happened.
    fn published(&self) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let said = self.in_api(&["relay", "status"])?;
            let all = said.lines().last().unwrap_or_default();
            if all.contains(" logs, 0 events ") && !all.starts_with("0 logs") {
                say(all);
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                let said = said.trim();
                return Err(Failure::new(format!("not published in {PATIENCE:?}: {said}")));
            }
            sleep(Duration::from_secs(1));
        }
    }

    fn booked(&self) -> usize {
        let progress = fs::read_to_string(self.folder.join("progress")).unwrap_or_default();
        progress.trim().parse().unwrap_or(0)
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}
