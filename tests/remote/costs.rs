//! What a product takes and moves, over servers of this machine: the table of the README of
//! `landscape`, on standard output.

use std::thread;
use std::time::{Duration, Instant};

use landscape::{Hessian, LinearOperator, Risk};

use crate::proxy::Proxy;
use crate::server::{Server, device_at};
use crate::subject::{Examples, Net, risk, waves};

/// The shortest of some products, in milliseconds.
fn product(net: &Net, risk: &Risk<Net, Examples>, settled: impl Fn()) -> f64 {
    let hessian = Hessian::at(net, risk).unwrap();
    let v = hessian.domain().upload(&waves(hessian.dim())).unwrap();
    hessian.apply(&v).unwrap();
    settled();
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        hessian.apply(&v).unwrap();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    best
}

#[test]
fn costs_of_a_product() {
    let servers = Server::several(4);
    let devices: Vec<_> = servers.iter().map(Server::device).collect();
    let proxy = Proxy::before(&servers[0].address);
    let counted = device_at(&proxy.address);
    println!(
        "|     P | examples | one device, ms | 1 server | 2 servers | 4 servers | bytes to it | bytes back |"
    );
    println!(
        "|------:|---------:|---------------:|---------:|----------:|----------:|------------:|-----------:|"
    );
    let all = [(8, 1024), (8, 4096), (64, 4096), (512, 4096), (512, 16384)];
    // The larger ones take minutes where little is compiled well, and show no other bytes.
    let rows = if std::env::var_os("COSTS").is_some() {
        5
    } else {
        3
    };
    for (width, examples) in all.into_iter().take(rows) {
        let net = Net::of_width(width);
        let alone = risk(examples);
        let mut times = vec![product(&net, &alone, || ())];
        for count in [1, 2, 4] {
            let spread = alone.on_devices(&devices[..count]).unwrap();
            times.push(product(&net, &spread, || ()));
        }
        let spread = alone.on_devices(std::slice::from_ref(&counted)).unwrap();
        product(&net, &spread, || {
            thread::sleep(Duration::from_millis(300));
            proxy.counts();
        });
        thread::sleep(Duration::from_millis(300));
        let (sent, received) = proxy.counts();
        let (sent, received) = (sent / 5, received / 5);
        println!(
            "| {:5} | {examples:8} | {:14.1} | {:8.1} | {:9.1} | {:9.1} | {sent:11} | {received:10} |",
            74 * width,
            times[0],
            times[1],
            times[2],
            times[3]
        );
        // The vector and the product in f32 are the least that moves, and 64 KiB of operations for
        // each of the batches the most beside it.
        let vector = 4 * 74 * width as u64;
        assert!(sent >= vector && received >= vector);
        let batches = examples as u64 / 256;
        assert!(
            sent < vector + (batches << 16),
            "{sent} bytes to the server"
        );
        assert!(
            received < 2 * vector + (1 << 16),
            "{received} bytes from the server"
        );
    }
}
