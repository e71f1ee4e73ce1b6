use ftsim_core::bench::{Bench, Run};
use ftsim_core::environment::message_rule::{Content, Fate, MessageRule};
use ftsim_core::rng::Rng;
use ftsim_core::{Probability, ProcessId};
use ftsim_protocols::dependability::codes::{self, Bits, Decoded};
use ftsim_protocols::dependability::{Code, InfoRedundancy};
use serde_json::json;

const NONE: [&str; 0] = [];
const ALL: [Code; 7] = [
    Code::None,
    Code::Parity,
    Code::Checksum,
    Code::Crc32,
    Code::Hamming74,
    Code::Secded,
    Code::XorParity,
];

/// What was received if the bits flip that are set in `flips`.
fn flipped(sent: &Bits, flips: u64) -> Bits {
    sent.xor(&Bits::of(flips, sent.0.len()))
}

/// All sets of `count` of the lowest `length` bits.
fn sets(length: u32, count: u32) -> impl Iterator<Item = u64> {
    (0..1u64 << length).filter(move |set| set.count_ones() == count)
}

#[test]
fn what_does_not_change_is_received_as_it_was_sent() {
    let mut rng = Rng::from_bits(1);
    for code in ALL {
        for _ in 0..1_000 {
            let word = Bits::of(rng.bits(), 32);
            assert_eq!(code.decode(&code.encode(&word)), Decoded::Intact(word), "{code:?}");
        }
    }
}

#[test]
fn parity_detects_every_odd_number_of_flips_and_no_even_one() {
    for word in 0..256 {
        let sent = codes::parity::encode(&Bits::of(word, 8));
        for flips in 1..1u64 << 9 {
            let is_detected = codes::parity::decode(&flipped(&sent, flips)) == Decoded::Broken;
            assert_eq!(is_detected, flips.count_ones() % 2 == 1);
        }
    }
}

#[test]
fn hamming_corrects_all_7_single_flips_and_miscorrects_all_21_double_flips() {
    for four in 0..16 {
        let word = Bits::of(four, 4);
        let sent = codes::hamming74::encode(&word);
        let decode = |flips| codes::hamming74::decode(&flipped(&sent, flips));
        assert_eq!(sets(7, 1).count(), 7);
        assert!(sets(7, 1).all(|flips| decode(flips) == Decoded::Corrected(word.clone())));
        assert_eq!(sets(7, 2).count(), 21);
        for flips in sets(7, 2) {
            let Decoded::Corrected(other) = decode(flips) else { panic!("it is corrected") };
            assert_ne!(other, word);
        }
    }
}

#[test]
fn secded_corrects_all_8_single_flips_and_detects_all_28_double_flips() {
    for four in 0..16 {
        let word = Bits::of(four, 4);
        let sent = codes::secded::encode(&word);
        let decode = |flips| codes::secded::decode(&flipped(&sent, flips));
        assert!(sets(8, 1).all(|flips| decode(flips) == Decoded::Corrected(word.clone())));
        assert_eq!(sets(8, 2).count(), 28);
        assert!(sets(8, 2).all(|flips| decode(flips) == Decoded::Broken));
        // Three are one too many.
        assert!(sets(8, 3).all(|flips| decode(flips).word() != Some(word.clone())));
        assert!(sets(8, 3).all(|flips| decode(flips) != Decoded::Broken));
    }
}

#[test]
fn code_words_differ_in_as_many_places_as_the_codes_promise() {
    let distance = |encode: fn(&Bits) -> Bits| {
        let all: Vec<Bits> = (0..16).map(|four| encode(&Bits::of(four, 4))).collect();
        let pairs = (0..16).flat_map(|a| (0..a).map(move |b| (a, b)));
        pairs.map(|(a, b)| all[a].xor(&all[b]).number().count_ones()).min()
    };
    assert_eq!(distance(codes::none::encode), Some(1));
    assert_eq!(distance(codes::parity::encode), Some(2));
    assert_eq!(distance(codes::hamming74::encode), Some(3));
    assert_eq!(distance(codes::secded::encode), Some(4));
}

#[test]
fn the_check_value_of_crc_32_is_the_published_one() {
    assert_eq!(codes::crc32::of(*b"123456789"), 0xcbf4_3926);
    assert_eq!(codes::crc32::of(*b""), 0);
}

/// Whether these numbers are independent, that is, no sum of some of them is zero.
fn are_independent(numbers: impl IntoIterator<Item = u64>) -> bool {
    let mut basis: Vec<u64> = Vec::new();
    for mut number in numbers {
        for known in &basis {
            number = number.min(number ^ known);
        }
        if number == 0 {
            return false;
        }
        basis.push(number);
    }
    true
}

#[test]
fn crc_32_detects_every_burst_of_up_to_32_bits_wherever_it_is() {
    // Errors are detected unless the checks of the flipped bits sum up to nothing. So all 2^32 − 1
    // bursts within a window of 32 bits are detected if the checks of its bits are independent.
    let zero = codes::crc32::encode(&Bits::of(0, 32));
    let syndrome = |place: usize| {
        let received = flipped(&zero, 1 << place);
        let word = Bits(received.0[..32].to_vec());
        let check = codes::crc32::encode(&word).0[32..].to_vec();
        Bits(check).xor(&Bits(received.0[32..].to_vec())).number()
    };
    for first in 0..=32 {
        assert!(are_independent((first..first + 32).map(syndrome)), "bursts from {first}");
    }
    // Of 33 bits, one pattern is a multiple of the generator, and is not detected.
    assert!(!are_independent((0..33).map(syndrome)));
    let generator = u64::from(0xedb8_8320_u32) << 1 | 1;
    for first in 0..=31 {
        let sent = codes::crc32::encode(&Bits::of(0x1234_5678, 32));
        let received = codes::crc32::decode(&flipped(&sent, generator << first));
        assert_ne!(received, Decoded::Broken, "{first}");
    }
}

#[test]
fn crc_32_detects_drawn_bursts_of_drawn_words() {
    let mut rng = Rng::from_bits(2);
    for _ in 0..50_000 {
        let sent = codes::crc32::encode(&Bits::of(rng.bits(), 32));
        let length = rng.between(1, 32);
        let burst = rng.bits() >> (64 - length) | 1;
        let first = rng.below(64 - length + 1);
        assert_eq!(codes::crc32::decode(&flipped(&sent, burst << first)), Decoded::Broken);
    }
}

#[test]
fn the_checksum_detects_every_burst_of_up_to_15_bits_but_no_exchange_of_words() {
    let mut rng = Rng::from_bits(3);
    for _ in 0..40 {
        let sent = codes::checksum::encode(&Bits::of(rng.bits(), 32));
        for first in 0..=48 - 15 {
            for burst in (1..1 << 15).step_by(37) {
                let received = flipped(&sent, burst << first);
                assert_eq!(codes::checksum::decode(&received), Decoded::Broken);
            }
        }
    }
    let sent = codes::checksum::encode(&Bits::of(0x1234_5678, 32));
    let exchanged = Bits([&sent.0[16..32], &sent.0[..16], &sent.0[32..]].concat());
    let decoded = codes::checksum::decode(&exchanged);
    assert_eq!(decoded, Decoded::Intact(Bits::of(0x5678_1234, 32)));
}

fn link(code: Code, workload: &str) -> Bench {
    let params = json!({ "code": code, "group": 4 }).to_string();
    let roles = [("sender", 1), ("receiver", 1)];
    Bench::with_roles::<InfoRedundancy>(&roles).params(&params).workload(workload).lockstep()
}

fn on_message(nth: u64, fate: Fate) -> MessageRule {
    MessageRule { from: ProcessId(0), to: ProcessId(1), kind: None, nth, fate }
}

/// The only payload is 5; its bits with these numbers flip.
fn run_with_flips(code: Code, flips: &[usize]) -> Run {
    let mut bits = code.encode(&Bits::of(5 << 16 | 1, 32));
    for place in flips {
        bits.0[*place] ^= true;
    }
    let mut bench = link(code, r#"{"contents": [5]}"#);
    let replaced = Fate::content(Content::Replaced(json!({ "Frame": bits })));
    bench.experiment.overrides = vec![on_message(1, replaced)];
    bench.run(1)
}

#[test]
fn one_flip_anywhere_is_detected_by_all_codes_and_corrected_by_two() {
    for code in ALL {
        let length = code.encode(&Bits::of(0, 32)).0.len();
        for place in 0..length {
            let expected = match code {
                Code::None | Code::XorParity => &["lnk.integrity", "lnk.reliable"][..],
                Code::Parity | Code::Checksum | Code::Crc32 => &["lnk.reliable"],
                Code::Hamming74 | Code::Secded => &[],
            };
            assert_eq!(run_with_flips(code, &[place]).violated(), expected, "{code:?}, {place}");
        }
    }
}

#[test]
fn two_flips_deceive_parity_and_hamming_but_not_secded() {
    let wrong = ["lnk.integrity", "lnk.reliable"];
    assert_eq!(run_with_flips(Code::Parity, &[3, 20]).violated(), wrong);
    assert_eq!(run_with_flips(Code::Hamming74, &[0, 1]).violated(), wrong);
    assert_eq!(run_with_flips(Code::Hamming74, &[0, 8]).violated(), NONE);
    assert_eq!(run_with_flips(Code::Secded, &[0, 1]).violated(), ["lnk.reliable"]);
    assert_eq!(run_with_flips(Code::Secded, &[0, 8]).violated(), NONE);
    assert_eq!(run_with_flips(Code::Crc32, &[3, 20]).violated(), ["lnk.reliable"]);
}

#[test]
fn whatever_one_part_of_a_message_becomes_no_code_is_deceived() {
    for code in [Code::Parity, Code::Checksum, Code::Crc32, Code::Hamming74, Code::Secded] {
        let mut bench = link(code, "{}");
        bench.experiment.network.default.garble = Probability::new(0.5).unwrap();
        for violated in bench.violated_in(0..500) {
            assert!(!violated.contains(&"lnk.integrity"), "{code:?}");
        }
    }
    let mut bench = link(Code::None, "{}");
    bench.experiment.network.default.garble = Probability::new(0.5).unwrap();
    let deceived = |violated: &Vec<&str>| violated.contains(&"lnk.integrity");
    assert!(bench.violated_in(0..50).iter().any(deceived));
}

#[test]
fn any_one_message_of_a_group_can_be_lost_and_no_two() {
    let losing = |lost: &[u64]| {
        let mut bench = link(Code::XorParity, r#"{"payloads": 4}"#);
        bench.experiment.overrides = lost.iter().map(|nth| on_message(*nth, Fate::DROP)).collect();
        bench.run(1)
    };
    assert_eq!(losing(&[]).statistics.sent(), 5);
    for first in 1..=5 {
        let run = losing(&[first]);
        assert_eq!(run.violated(), NONE, "{first}");
        assert_eq!(run.reached.contains(&"rebuilt"), first < 5);
        for second in 1..first {
            assert_eq!(losing(&[second, first]).violated(), ["lnk.reliable"], "{second}, {first}");
        }
    }
}

#[test]
fn a_message_that_arrives_after_its_group_was_rebuilt_is_not_delivered_again() {
    let mut bench = link(Code::XorParity, r#"{"payloads": 4}"#);
    let late = Fate::delay(ftsim_core::Duration::from_secs(1));
    bench.experiment.overrides = vec![on_message(2, late)];
    let run = bench.run(1);
    assert_eq!((run.violated(), run.indication_steps().len()), (vec![], 4));
}

#[test]
fn links_that_make_no_sense_are_refused() {
    let refused = |senders, receivers, params: &str| {
        let roles = [("sender", senders), ("receiver", receivers)];
        Bench::with_roles::<InfoRedundancy>(&roles).params(params).refused().is_some()
    };
    assert!(refused(2, 1, "{}") && refused(1, 2, "{}") && refused(1, 1, r#"{"group": 0}"#));
    assert!(!refused(1, 1, "{}"));
}
