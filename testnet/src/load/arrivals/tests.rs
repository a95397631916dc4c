use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn schedule(shape: Shape, seconds: u64) -> Schedule {
    Schedule { shape, duration: Duration::from_secs(seconds), seed: 7 }
}

fn due(shape: Shape, seconds: u64) -> Vec<Duration> {
    schedule(shape, seconds).arrivals().collect()
}

#[test]
fn a_constant_load_is_due_at_even_distances_from_the_start() {
    let due = due(Shape::Constant { rate: 20.0 }, 30);
    assert_eq!(due.len(), 600);
    assert_eq!((due[0], due[1]), (Duration::ZERO, Duration::from_millis(50)));
    assert_eq!(due[599], Duration::from_millis(29_950));
}

#[test]
fn a_rate_below_one_and_a_rate_of_none_are_rates_too() {
    let slow = due(Shape::Constant { rate: 0.1 }, 30);
    assert_eq!(slow, [Duration::ZERO, 10 * SECOND, 20 * SECOND]);
    for shape in [Shape::Constant { rate: 0.0 }, Shape::Poisson { rate: 0.0 }] {
        assert_eq!(due(shape, 30), []);
        assert_eq!(schedule(shape, 30).count(), 0);
    }
}

#[test]
fn a_burst_is_due_all_at_once_and_several_share_evenly() {
    let one = Shape::Burst { count: 3, bursts: 1, every: Duration::ZERO };
    assert_eq!(due(one, 10), [Duration::ZERO; 3]);
    let three = due(Shape::Burst { count: 10, bursts: 3, every: 4 * SECOND }, 10);
    let at = |time| three.iter().filter(|due| **due == time).count();
    assert_eq!((at(Duration::ZERO), at(4 * SECOND), at(8 * SECOND)), (3, 3, 4));
}

#[test]
fn a_ramp_from_nothing_has_a_quarter_of_its_load_in_its_first_half() {
    let rising = due(Shape::Ramp { from: 0.0, to: 20.0 }, 10);
    assert_eq!(rising.len(), 100);
    assert_eq!(rising[25], 5 * SECOND);
    let falling = due(Shape::Ramp { from: 20.0, to: 0.0 }, 10);
    assert_eq!(falling.iter().filter(|due| **due < 5 * SECOND).count(), 75);
    assert_eq!(due(Shape::Ramp { from: 5.0, to: 5.0 }, 10), due(Shape::Constant { rate: 5.0 }, 10));
}

/// In each of 1,000 stretches of a second the number of arrivals has the mean and the variance of a
/// Poisson distribution. The bounds are five standard errors to each side.
#[test]
fn poisson_arrivals_have_the_mean_and_the_variance_that_the_name_promises() {
    const MEAN: f64 = 20.0;
    let mut counts = vec![0.0_f64; 1_000];
    for due in due(Shape::Poisson { rate: MEAN }, 1_000) {
        counts[due.as_secs() as usize] += 1.0;
    }
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // Of the mean √(λ/n), of the variance about √(2/n)·λ.
    assert!((mean - MEAN).abs() < 5.0 * (MEAN / n).sqrt(), "mean {mean}");
    assert!((variance - MEAN).abs() < 5.0 * (2.0 / n).sqrt() * MEAN, "variance {variance}");
}

#[test]
fn poisson_arrivals_of_a_given_number_fill_the_whole_stretch_evenly() {
    let due = due(Shape::PoissonCount { count: 4_000 }, 100);
    assert_eq!(due.len(), 4_000);
    for quarter in 0..4 {
        let within = (25 * quarter * SECOND)..(25 * (quarter + 1) * SECOND);
        let count = due.iter().filter(|due| within.contains(due)).count();
        // Binomial: 1,000 expected, standard deviation 27; five of them to each side.
        assert!((863..=1_137).contains(&count), "{count}");
    }
}

#[test]
fn what_is_random_follows_from_the_seed() {
    let due = |seed| {
        let schedule = Schedule { seed, ..schedule(Shape::Poisson { rate: 5.0 }, 10) };
        schedule.arrivals().collect::<Vec<_>>()
    };
    assert_eq!(due(1), due(1));
    assert_ne!(due(1), due(2));
}

fn shapes() -> impl Strategy<Value = Shape> {
    let rate = || 0.01..500.0f64;
    prop_oneof![
        rate().prop_map(|rate| Shape::Constant { rate }),
        rate().prop_map(|rate| Shape::Poisson { rate }),
        (0..500u64).prop_map(|count| Shape::PoissonCount { count }),
        (rate(), rate()).prop_map(|(from, to)| Shape::Ramp { from, to }),
        rate().prop_map(|to| Shape::Ramp { from: 0.0, to }),
        rate().prop_map(|from| Shape::Ramp { from, to: 0.0 }),
        (0..500u64, 1..5u64).prop_map(|(count, bursts)| Shape::Burst {
            count,
            bursts,
            every: Duration::from_millis(200),
        }),
    ]
}

proptest! {
    #[test]
    fn all_are_due_within_the_duration_in_order_and_as_many_as_promised(
        shape in shapes(), seconds in 1..60u64, seed: u64,
    ) {
        let schedule = Schedule { seed, ..schedule(shape, seconds) };
        let due: Vec<_> = schedule.arrivals().collect();
        prop_assert_eq!(due.len() as u64, schedule.count());
        prop_assert!(due.is_sorted());
        prop_assert!(due.last().is_none_or(|last| *last < schedule.duration));
    }

    #[test]
    fn a_constant_load_has_its_rate_times_its_duration(rate in 0.01..5_000.0f64, seconds in 1..600u64) {
        let count = schedule(Shape::Constant { rate }, seconds).count();
        prop_assert!((count as f64 - rate * seconds as f64).abs() <= 1.0);
    }

    #[test]
    fn bursts_differ_in_size_by_one_at_most(count in 0..2_000u64, bursts in 1..40u64) {
        let mut sizes = vec![0; bursts as usize];
        for nth in 0..count {
            sizes[burst_of(nth, count, bursts) as usize] += 1;
        }
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        prop_assert!(most - least <= 1, "{sizes:?}");
    }
}
