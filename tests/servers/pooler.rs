//! PostgreSQL behind PgBouncer: both drivers, in every mode of pooling.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;

use crate::database::{Kind, Server, folder, free_port};
use crate::node::{Node, Place, Setup, bound_to_us, wait_until};

struct Pooler {
    folder: PathBuf,
    port: u16,
    process: Child,
}

impl Pooler {
    /// A pooler of two server connections for all clients, so that they meet on each.
    fn start(database: &Server, mode: &str) -> Self {
        let (folder, port) = (folder(), free_port());
        let url = database.place("").url;
        let (_, server) = url.rsplit_once(':').expect("a port");
        let (server, _) = server.split_once('/').expect("a database");
        let config = format!(
            "[databases]\npostgres = host=127.0.0.1 port={server} dbname=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {users}\npool_mode = {mode}\ndefault_pool_size = {size}\n\
             ignore_startup_parameters = extra_float_digits\n",
            users = folder.join("users").display(),
            // In session mode each client keeps one.
            size = if mode == "session" { 60 } else { 2 },
        );
        fs::write(folder.join("ini"), config).expect("a file");
        fs::write(folder.join("users"), "\"postgres\" \"\"\n").expect("a file");
        let _ = Command::new("chown").arg("-R").arg("postgres").arg(&folder).status();
        let log = fs::File::create(folder.join("log")).expect("a file for the log");
        let mut command = bound_to_us(Some("postgres"));
        let process = command
            .arg("/usr/sbin/pgbouncer")
            .arg(folder.join("ini"))
            .stderr(log.try_clone().expect("the same file"))
            .stdout(log)
            .spawn()
            .expect("PgBouncer starts");
        wait_until("PgBouncer listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { folder, port, process }
    }

    fn place(&self, store: &'static str) -> Place {
        Place { store, url: format!("postgres://postgres@127.0.0.1:{}/postgres", self.port) }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Eight clients log in, are let in, refresh, log out and are refused, ten times each.
fn works_through(pooler: &Pooler, store: &'static str) {
    let setup = Setup::new(",blocklist_timeout=\"20s\",rotation_grace=\"0s\"");
    let nodes = [(); 2].map(|()| Node::start(&pooler.place(store), &setup));
    thread::scope(|scope| {
        for client in 0..8 {
            let nodes = &nodes;
            scope.spawn(move || {
                for round in 0..10 {
                    let [node, other] = [&nodes[round % 2], &nodes[(round + 1) % 2]];
                    let first = node.login(&format!("client-{client}"));
                    node.lets_in(&first);
                    let second = other.post("/refresh", &first.refresh).pair();
                    node.lets_in(&second);
                    assert_eq!(node.post("/logout", &second.access).status, 204);
                    other.refuses(&second);
                }
            });
        }
    });
    // Followed in memory, too.
    let replica = Setup::new(",blocklist_replica=\"100ms\"");
    let replica = Node::start(&pooler.place(store), &replica);
    let pair = nodes[0].login("ada");
    replica.lets_in(&pair);
    assert_eq!(nodes[0].post("/logout", &pair.access).status, 204);
    wait_until("the replica knows it", || replica.get("/me", &pair.access).status == 401);
}

fn works_in(mode: &str) {
    let database = Server::start(Kind::Postgres);
    let pooler = Pooler::start(&database, mode);
    for store in ["sqlx_postgres", "deadpool_postgres"] {
        works_through(&pooler, store);
    }
}

#[test]
fn transactions_may_be_pooled() {
    works_in("transaction");
}

#[test]
fn statements_may_be_pooled() {
    works_in("statement");
}

#[test]
fn sessions_may_be_pooled() {
    works_in("session");
}
