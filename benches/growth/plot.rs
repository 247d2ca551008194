//! Draws the plot.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::Quartiles;
use crate::length::Length;
use crate::requests::Requests;

const SIZE: (u32, u32) = (1200, 400);
const OURS: RGBColor = RGBColor(0x1f, 0x5f, 0xa8);
const OTHER: RGBColor = RGBColor(0xb0, 0x60, 0x20);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A curve: its name, its colour, and its points with their quartiles.
struct Line {
    name: &'static str,
    colour: RGBColor,
    points: Vec<(f64, Quartiles)>,
}

pub fn draw(path: &Path, lengths: &[Length], requests: &Requests) {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE).expect("drawn");
    let [length, entries, workers] = root.split_evenly((1, 3)).try_into().ok().expect("three");
    let of_length = |of: fn(&Length) -> Quartiles| {
        lengths.iter().map(|length| (length.bytes as f64, of(length))).collect()
    };
    panel(
        &length,
        "Verifying a token (HS256)",
        ("bytes of the token", "µs"),
        (200.0..24_000.0, true),
        &[
            Line { name: "jwt.decode", colour: OURS, points: of_length(|length| length.ours) },
            Line {
                name: "jsonwebtoken::decode",
                colour: OTHER,
                points: of_length(|length| length.theirs),
            },
        ],
    );
    panel(
        &entries,
        "A guarded route, by revoked tokens",
        ("revoked tokens", "requests a second"),
        (500.0..20_000_000.0, true),
        &[Line {
            name: "guarded",
            colour: OURS,
            points: requests
                .entries
                .iter()
                .map(|(count, rate, _)| (*count as f64, *rate))
                .collect(),
        }],
    );
    let of_workers = |of: fn(&(u64, Quartiles, Quartiles, Quartiles)) -> Quartiles| {
        requests.workers.iter().map(|row| (row.0 as f64, of(row))).collect()
    };
    panel(
        &workers,
        "By workers, client on the same processors",
        ("workers", "requests a second"),
        (0.5..2.5, false),
        &[
            Line { name: "open", colour: OTHER, points: of_workers(|row| row.1) },
            Line { name: "guarded", colour: OURS, points: of_workers(|row| row.2) },
        ],
    );
    root.present().expect("drawn");
}

fn panel(
    area: &Area<'_>,
    title: &str,
    (x, y): (&str, &str),
    (range, is_log): (Range<f64>, bool),
    lines: &[Line],
) {
    let highest = lines.iter().flat_map(|line| &line.points).map(|(_, [.., high])| *high);
    // The legend is at the top left for times, which are low there, and elsewhere for rates.
    let legend = match y {
        "µs" => SeriesLabelPosition::UpperLeft,
        _ => SeriesLabelPosition::LowerLeft,
    };
    let up_to = 0.0..highest.fold(0.0, f64::max) * 1.15;
    let mut builder = ChartBuilder::on(area);
    builder.caption(title, ("sans-serif", 17)).margin(12);
    builder.x_label_area_size(42).y_label_area_size(62);
    // The two kinds of axis have different types.
    macro_rules! draw {
        ($range:expr, $label:expr) => {{
            let mut chart = builder.build_cartesian_2d($range, up_to).expect("axes");
            let mut mesh = chart.configure_mesh();
            mesh.x_desc(x).y_desc(y).light_line_style(TRANSPARENT).x_labels(5).y_labels(6);
            mesh.x_label_formatter(&$label).y_label_formatter(&|value| short(*value));
            mesh.draw().expect("drawn");
            for line in lines {
                let middle = line.points.iter().map(|(x, [_, middle, _])| (*x, *middle));
                let colour = line.colour;
                chart
                    .draw_series(LineSeries::new(middle.clone(), colour.stroke_width(2)))
                    .expect("drawn")
                    .label(line.name)
                    .legend(move |(x, y)| {
                        PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2))
                    });
                let dots = middle.map(|at| Circle::new(at, 3, colour.filled()));
                chart.draw_series(dots).expect("drawn");
                let quartiles = line.points.iter().map(|(x, [low, _, high])| {
                    PathElement::new([(*x, *low), (*x, *high)], colour.stroke_width(1))
                });
                chart.draw_series(quartiles).expect("drawn");
            }
            let mut labels = chart.configure_series_labels();
            labels.position(legend).background_style(WHITE);
            labels.draw().expect("drawn");
        }};
    }
    if is_log {
        draw!(range.log_scale(), |value: &f64| short(*value));
    } else {
        let whole = |value: &f64| match value.fract() == 0.0 {
            true => format!("{value}"),
            false => String::new(),
        };
        draw!(range, whole);
    }
}

/// A short form of a number.
fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} M", value / 1e6),
        _ if value >= 1e3 => format!("{} k", value / 1e3),
        _ => format!("{value}"),
    }
}
