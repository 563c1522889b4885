//! Numbers over two and four servers beside those of one device.

use landscape::spectrum::hutchinson_trace;
use landscape::{
    GaussNewton, Hessian, LanczosConfig, LinearOperator, Method, ParameterSpace, Risk, TraceConfig,
    download, plane, random_directions, top_eigenpairs,
};

use crate::server::Server;
use crate::subject::{Examples, Net, difference, risk, waves};

fn numbers(risk: &Risk<Net, Examples>) -> Vec<(&'static str, Vec<f64>)> {
    let net = Net::of_width(8);
    let hessian = Hessian::at(&net, risk).unwrap();
    assert!(
        matches!(hessian.method(), Method::Exact { .. }),
        "{}",
        hessian.method()
    );
    let v = hessian.domain().upload(&waves(hessian.dim())).unwrap();
    let space = ParameterSpace::of(&net).unwrap();
    let [d1, d2] = random_directions(&space, 3);
    let grid = landscape::Grid::square(-1.0..=1.0, 3);
    let gauss_newton = GaussNewton::at(&net, risk).unwrap();
    let lanczos = LanczosConfig::new().with_seed(1);
    let trace = TraceConfig::new().with_min_probes(4).with_max_probes(4);
    vec![
        ("value", vec![risk.value(&net).unwrap()]),
        ("gradient", download(&risk.gradient(&net).unwrap().1)),
        ("product", download(&hessian.apply(&v).unwrap())),
        ("form", vec![hessian.quadratic_form(&v).unwrap()]),
        ("Gauss-Newton", download(&gauss_newton.apply(&v).unwrap())),
        ("diagonal", gauss_newton.diagonal().unwrap()),
        (
            "eigenvalues",
            top_eigenpairs(&hessian, 2, &lanczos)
                .unwrap()
                .iter()
                .map(|pair| pair.value)
                .collect(),
        ),
        (
            "trace",
            vec![hutchinson_trace(&hessian, &trace).unwrap().estimate.mean],
        ),
        (
            "surface",
            plane(&net, risk, [&d1, &d2], &grid).unwrap().loss,
        ),
    ]
}

#[test]
fn two_and_four_servers_give_the_numbers_of_one_device() {
    let alone = risk(1024);
    let expected = numbers(&alone);
    let servers = Server::several(4);
    let devices: Vec<_> = servers.iter().map(Server::device).collect();
    for count in [1, 2, 4] {
        let spread = alone.on_devices(&devices[..count]).unwrap();
        for ((name, expected), (_, found)) in expected.iter().zip(numbers(&spread)) {
            let gap = difference(expected, &found);
            println!("{count} servers, {name}: {gap:.1e}");
            // Sums of a thousand terms of f32 in another order; Lanczos stops at 1e-5.
            assert!(gap < 2e-5, "{name} over {count} servers: {gap:.1e}");
        }
        assert!(spread.lost_devices().is_empty());
    }
}
