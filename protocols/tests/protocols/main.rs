//! The protocols against their papers: messages, steps, bounds, and what each mutant breaks.

mod recovery;

mod broadcast {
    mod beb;
    mod causal_broadcast;
    mod eager_rb;
    mod fifo_broadcast;
    mod gossip;
    mod lazy_rb;
    mod uniform_rb;
}
mod byzantine {
    mod bracha_rb;
    mod byzantine_ben_or;
    mod consistent_broadcast;
    mod dolev_strong;
    mod oral_messages;
    mod phase_king;
}
mod checkpoint {
    mod chandy_lamport;
    mod cic;
    mod ckpt_blocking;
    mod koo_toueg;
    mod uncoordinated_ckpt;
}
mod commit {
    mod paxos_commit;
    mod storage_server;
    mod three_phase;
    mod two_phase;
}
mod consensus {
    mod all_to_all_consensus;
    mod ben_or;
    mod flooding_consensus;
    mod floodset;
    mod hierarchical_consensus;
    mod paxos;
}
mod dependability {
    mod dijkstra_ring;
    mod flp_bivalence;
    mod info_redundancy;
    mod nmr_voting;
    mod time_redundancy;
    mod two_generals;
    mod units;
}
mod detectors {
    mod fd_exclude_on_timeout;
    mod fd_heartbeat;
    mod fd_operator;
    mod fd_perfect;
    mod swim;
}
mod election {
    mod bully;
    mod chang_roberts;
    mod omega;
    mod omega_lower_epoch;
    mod ring_election;
}
mod exclusion {
    mod lamport_mutex;
    mod lock_server;
    mod maekawa;
    mod ricart_agrawala;
    mod suzuki_kasami;
    mod token_ring;
}
mod groups {
    mod flat_group;
    mod hierarchical_group;
    mod membership;
    mod view_synchrony;
}
mod links {
    mod fifo_link;
    mod reliable_link;
}
mod logging {
    mod log_causal;
    mod log_optimistic;
    mod log_pessimistic;
    mod log_sender;
}
mod order {
    mod lamport_clock;
    mod lamport_tom;
    mod lamport_tom_ft;
    mod skeen_tom;
    mod timestamps;
    mod tob_consensus;
    mod tob_sequencer;
    mod vector_clock;
}
mod parts {
    mod coterie;
    mod rounds;
    mod sample;
    mod votes;
}
mod replication {
    mod abd;
    mod chain_replication;
    mod ha_nfs;
    mod naive_replication;
    mod primary_backup;
    mod smr;
    mod state_transfer;
    mod weighted_voting;
}
mod confidence;
mod operations;
mod scripted;
