//! A spec said nothing of the faults that it is stated for: one without recovery cannot be met by a
//! protocol with it.

use ftsim::Catalogue;
use ftsim_core::FaultClass;

#[test]
fn every_protocol_fails_only_as_its_spec_allows() {
    for entry in Catalogue::builtin().entries() {
        let (faults, stated) = (entry.model.faults, entry.spec_faults);
        assert!(stated.contains(&faults), "{}: {faults:?} not in {stated:?}", entry.name);
    }
}

#[test]
fn consensus_is_stated_for_recovery_and_broadcast_is_not() {
    let catalogue = Catalogue::builtin();
    let of = |name| catalogue.get(name).expect("a known protocol").spec_faults;
    assert!(of("floodset").contains(&FaultClass::CrashRecovery));
    assert!(!of("eager-rb").contains(&FaultClass::CrashRecovery));
}
