//! An address that leads to one server, and later to another, while open connections stay where they
//! are: as a load balancer, a virtual IP, or a name in the DNS.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::thread;

pub struct Relay {
    pub port: u16,
    target: Arc<AtomicU16>,
    accepted: Arc<AtomicUsize>,
}

impl Relay {
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let relay = Self {
            port: listener.local_addr().expect("an address").port(),
            target: Arc::new(AtomicU16::new(port)),
            accepted: Arc::default(),
        };
        let (target, accepted) = (relay.target.clone(), relay.accepted.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepted.fetch_add(1, Ordering::SeqCst);
                let target = target.load(Ordering::SeqCst);
                // Where nobody listens, the client's connection ends.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", target)) {
                    pass(&client, &server);
                    pass(&server, &client);
                }
            }
        });
        relay
    }

    /// New connections lead to this port.
    pub fn turn_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }

    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

fn pass(from: &TcpStream, to: &TcpStream) {
    let copy = |stream: &TcpStream| {
        stream.set_nodelay(true).expect("no delay");
        stream.try_clone().expect("the same stream")
    };
    let (mut from, mut to) = (copy(from), copy(to));
    thread::spawn(move || {
        let mut piece = [0; 16_384];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if to.write_all(&piece[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
