//! Servers that hold their connections and compute no more: processes that are stopped.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use burn::tensor::Device;
use landscape::slice::plane_observed;
use landscape::spectrum::hutchinson_trace;
use landscape::{
    Error, Grid, Hessian, LinearOperator, ParameterSpace, TraceConfig, download, plane,
    random_directions,
};

use crate::relay::relay;
use crate::server::{Server, within};
use crate::subject::{Net, difference, risk, waves};

/// The time in which a hang is noticed, with room for a machine that is busy: three questions of at
/// most two seconds, each a second after the last.
const NOTICED: f64 = 20.0;

/// Two servers, and their devices as the program uses them.
fn watched() -> (Vec<Server>, Vec<Device>) {
    let servers = Server::several(2);
    let devices = servers
        .iter()
        .flat_map(|server| cli::remote_devices(&server.address, None).unwrap())
        .collect();
    (servers, devices)
}

#[test]
fn a_server_that_is_stopped_before_it_is_used_is_a_sentence_within_five_seconds() {
    let server = Server::start(&[]);
    server.stop();
    let refusal = within(5.0, || cli::remote_devices(&server.address, None));
    let refusal = refusal.expect_err("it does not run").to_string();
    assert!(
        refusal.contains("does not answer within 2 s") && refusal.lines().count() == 1,
        "{refusal}"
    );
}

#[test]
fn a_product_in_whose_middle_a_server_is_stopped_is_an_error_within_seconds() {
    let net = Net::of_width(64);
    let (servers, devices) = watched();
    let spread = risk(2048).on_devices(&devices).unwrap();
    let hessian = Hessian::at(&net, &spread).unwrap();
    let v = hessian.domain().upload(&waves(hessian.dim())).unwrap();
    let whole = download(&hessian.apply(&v).unwrap());
    servers[1].stop();
    let error = within(NOTICED, || hessian.apply(&v)).expect_err("a half sum");
    println!("{error}");
    let text = error.to_string();
    assert!(
        matches!(
            error,
            Error::DeviceFailed {
                position: 1,
                devices: 2,
                left: 1,
                ..
            }
        ) && text.lines().count() == 1,
        "{text}"
    );
    let again = within(NOTICED, || hessian.apply(&v)).unwrap();
    assert!(difference(&whole, &download(&again)) < 1e-6);
    // Running again, it is still not used: its answers would be late.
    servers[1].go_on();
    hessian.apply(&v).unwrap();
    assert_eq!(spread.lost_devices().len(), 1);
}

#[test]
fn a_surface_and_a_trace_go_on_when_a_server_is_stopped() {
    let net = Net::of_width(16);
    let (servers, devices) = watched();
    let alone = risk(1024);
    let spread = alone.on_devices(&devices).unwrap();
    let space = ParameterSpace::of(&net).unwrap();
    let [d1, d2] = random_directions(&space, 3);
    let grid = Grid::square(-1.0..=1.0, 9);
    let mut done = 0;
    let surface = within(NOTICED + 30.0, || {
        plane_observed(&net, &spread, [&d1, &d2], &grid, |_, _| {
            done += 1;
            if done == 3 {
                servers[0].stop();
            }
            ControlFlow::Continue(())
        })
    });
    let expected = plane(&net, &alone, [&d1, &d2], &grid).unwrap();
    assert!(difference(&expected.loss, &surface.unwrap().loss) < 1e-5);
    let lost = spread.lost_devices();
    assert_eq!((lost.len(), lost[0].position), (1, 0));

    let (servers, devices) = watched();
    let spread = alone.on_devices(&devices).unwrap();
    let hessian = Hessian::at(&net, &spread).unwrap();
    servers[1].stop();
    let config = TraceConfig::new()
        .with_seed(1)
        .with_min_probes(3)
        .with_max_probes(3);
    let trace = within(NOTICED, || hutchinson_trace(&hessian, &config)).unwrap();
    let expected = hutchinson_trace(&Hessian::at(&net, &alone).unwrap(), &config).unwrap();
    let gap = trace.estimate.mean / expected.estimate.mean - 1.0;
    assert!(gap.abs() < 1e-5, "{gap:.1e}");
    assert_eq!(spread.lost_devices().len(), 1);
}

/// Says nothing for longer than any hang takes to be noticed, but answers questions: a product that
/// takes its time.
#[test]
fn a_server_that_computes_for_long_is_waited_for() {
    const LONG: Duration = Duration::from_secs(15);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let each = |mut stream: TcpStream| {
        let mut some = [0; 4];
        stream.read_exact(&mut some).unwrap();
        if &some == b"GET " {
            stream.write_all(b"HTTP/1.1 404 Not Found\r\n\r\n").unwrap();
        } else {
            thread::sleep(LONG);
            stream.write_all(b"done").unwrap();
        }
    };
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || each(stream));
        }
    });
    let relay = relay(server, server.to_string()).unwrap();
    let mut client = TcpStream::connect(relay).unwrap();
    client.write_all(b"work").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "done");
}
