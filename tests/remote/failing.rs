//! Servers that are killed in the middle.

use std::ops::ControlFlow;
use std::thread;
use std::time::Instant;

use burn::tensor::Tensor;
use landscape::slice::plane_observed;
use landscape::spectrum::hutchinson_trace;
use landscape::{
    Domain, Error, Grid, Hessian, LinearOperator, ParameterSpace, TraceConfig, download, plane,
    random_directions,
};

use crate::server::{Server, within};
use crate::subject::{Net, difference, risk, waves};

#[test]
fn a_product_in_whose_middle_a_server_is_killed_is_an_error_within_seconds() {
    let net = Net::of_width(256);
    let servers = Server::several(2);
    let devices: Vec<_> = servers.iter().map(Server::device).collect();
    let alone = risk(8192);
    let spread = alone.on_devices(&devices).unwrap();
    let hessian = Hessian::at(&net, &spread).unwrap();
    let v = hessian.domain().upload(&waves(hessian.dim())).unwrap();
    let start = Instant::now();
    let whole = download(&hessian.apply(&v).unwrap());
    let took = start.elapsed();
    let killed = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(took / 3);
            servers[1].kill();
        });
        within(took.as_secs_f64() + 5.0, || hessian.apply(&v))
    });
    let error = killed.expect_err("a half sum");
    println!("after {took:.2?} for a whole product: {error}");
    assert!(
        matches!(
            error,
            Error::DeviceFailed {
                position: 1,
                devices: 2,
                left: 1,
                ..
            }
        ),
        "{error}"
    );
    // Made by the other alone, and the same.
    let again = download(&hessian.apply(&v).unwrap());
    assert!(difference(&whole, &again) < 1e-6);
    assert_eq!(spread.lost_devices().len(), 1);
    servers[0].kill();
    let error = within(10.0, || hessian.apply(&v)).expect_err("no device");
    assert!(
        matches!(error, Error::DeviceFailed { left: 0, .. }),
        "{error}"
    );
    let error = alone.on_devices(&devices).expect_err("no device");
    assert!(matches!(error, Error::DeviceFailed { .. }), "{error}");
}

#[test]
fn a_surface_in_whose_middle_a_server_is_killed_goes_on_with_the_rest() {
    let net = Net::of_width(16);
    let servers = Server::several(2);
    let devices: Vec<_> = servers.iter().map(Server::device).collect();
    let alone = risk(1024);
    let spread = alone.on_devices(&devices).unwrap();
    let space = ParameterSpace::of(&net).unwrap();
    let [d1, d2] = random_directions(&space, 3);
    let grid = Grid::square(-1.0..=1.0, 9);
    let mut done = 0;
    let surface = plane_observed(&net, &spread, [&d1, &d2], &grid, |_, _| {
        done += 1;
        if done == 3 {
            servers[0].kill();
        }
        ControlFlow::Continue(())
    });
    let expected = plane(&net, &alone, [&d1, &d2], &grid).unwrap();
    assert!(difference(&expected.loss, &surface.unwrap().loss) < 1e-5);
    let lost = spread.lost_devices();
    assert_eq!((lost.len(), lost[0].position), (1, 0));
}

/// An operator in whose third product a server is killed.
struct Killing<'a> {
    operator: &'a dyn LinearOperator,
    server: &'a Server,
    made: std::cell::Cell<usize>,
}

impl LinearOperator for Killing<'_> {
    fn domain(&self) -> &Domain {
        self.operator.domain()
    }

    fn apply(&self, v: &Tensor<1>) -> Result<Tensor<1>, Error> {
        self.made.set(self.made.get() + 1);
        if self.made.get() == 4 {
            self.server.kill();
        }
        self.operator.apply(v)
    }
}

#[test]
fn a_trace_in_whose_middle_a_server_is_killed_goes_on_with_the_rest() {
    let net = Net::of_width(64);
    let servers = Server::several(2);
    let devices: Vec<_> = servers.iter().map(Server::device).collect();
    let alone = risk(1024);
    let spread = alone.on_devices(&devices).unwrap();
    let hessian = Hessian::at(&net, &spread).unwrap();
    let config = TraceConfig::new()
        .with_seed(1)
        .with_min_probes(5)
        .with_max_probes(5);
    let killing = Killing {
        operator: &hessian,
        server: &servers[1],
        made: std::cell::Cell::new(0),
    };
    let trace = within(30.0, || hutchinson_trace(&killing, &config)).unwrap();
    let alone = Hessian::at(&net, &alone).unwrap();
    let expected = hutchinson_trace(&alone, &config).unwrap();
    let gap = trace.estimate.mean / expected.estimate.mean - 1.0;
    assert!(gap.abs() < 1e-5, "{gap:.1e}");
    assert_eq!(spread.lost_devices().len(), 1);
}
