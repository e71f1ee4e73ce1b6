//! The whole table, or a part of its rows: written by one command, and merged by another.

use serde::{Deserialize, Serialize};

use super::class::Class;
use super::row::Row;
use super::world::Detector;
use crate::sweep::shard::Shard;

/// The number of the format.
pub const SCHEMA: u32 = 2;

/// What determines a table: parts of one table have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The version of ftsim.
    pub engine: String,
    /// The protocols that were asked for; none for all.
    pub protocols: Vec<String>,
    /// The classes of faults that were asked for; none for all.
    pub faults: Vec<Class>,
    /// The numbers of faulty processes that were asked for; none for the usual ones.
    pub faulty: Vec<u32>,
    /// The processes that can be faulty, as they were asked for.
    pub target: Vec<String>,
    /// Parameters.
    pub set: Vec<String>,
    /// The numbers of processes.
    pub processes: Vec<String>,
    /// Further properties that count.
    pub check: Vec<String>,
    /// The detector that was asked for.
    pub detector: Option<Detector>,
    /// Worlds in each row.
    pub seeds: u64,
    /// The seed for drawing them.
    pub seed: u64,
    /// The maximum number of runs of each exploration, if there were any.
    pub explore: Option<u64>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The number of the format.
    pub schema: u32,
    /// What determines it.
    #[serde(flatten)]
    pub terms: Terms,
    /// Which part of the rows it has; none for all.
    pub shard: Option<Shard>,
    /// The number of rows of the whole table.
    pub row_count: u64,
    /// Rows, in the order of their numbers.
    pub rows: Vec<Row>,
}

/// Whether a shard has the row with this number. Neighbours go to different shards, since they take
/// about the same time.
pub fn has(shard: Option<Shard>, index: u64) -> bool {
    shard.is_none_or(|shard| index % shard.count == shard.index - 1)
}

/// The whole table from its shards, in any order.
///
/// # Errors
/// What does not fit, or is missing.
pub fn merged(parts: Vec<(String, Table)>) -> Result<Table, String> {
    let mut whole: Option<(String, Table)> = None;
    for (name, part) in parts {
        if part.schema != SCHEMA {
            return Err(format!("{name} has schema {}, expected {SCHEMA}", part.schema));
        }
        let Some((first, table)) = &mut whole else {
            whole = Some((name, part));
            continue;
        };
        let count = |table: &Table| table.shard.map_or(1, |shard| shard.count);
        if (&part.terms, part.row_count, count(&part))
            != (&table.terms, table.row_count, count(table))
        {
            return Err(format!("{name} and {first} are no parts of one table"));
        }
        table.rows.extend(part.rows);
    }
    let Some((first, mut table)) = whole else { return Err("there is nothing to merge".into()) };
    table.rows.sort_by_key(|row| row.index);
    for index in 0..table.row_count.max(table.rows.len() as u64) {
        match table.rows.get(usize::try_from(index).unwrap_or(usize::MAX)) {
            Some(row) if row.index == index => {}
            Some(row) if row.index < index => {
                return Err(format!("row {} comes twice: is a shard given twice?", row.index));
            }
            _ => {
                let all = table.row_count;
                return Err(format!("row {index} of {all} is missing, beside those of {first}"));
            }
        }
    }
    table.shard = None;
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(shard: Option<Shard>) -> Table {
        let terms = Terms {
            engine: "1".into(),
            protocols: Vec::new(),
            faults: Vec::new(),
            faulty: Vec::new(),
            target: Vec::new(),
            set: Vec::new(),
            processes: Vec::new(),
            check: Vec::new(),
            detector: None,
            seeds: 1,
            seed: 1,
            explore: None,
        };
        let rows = (0..7).filter(|index| has(shard, *index));
        let rows = rows.map(|index| Row::empty(index, "eager-rb", (Class::Loss, None)));
        Table { schema: SCHEMA, terms, shard, row_count: 7, rows: rows.collect() }
    }

    fn shards(count: u64) -> Vec<(String, Table)> {
        let shard = |index| Some(Shard { index, count });
        (1..=count).map(|index| (format!("{index}.json"), table(shard(index)))).collect()
    }

    #[test]
    fn shards_are_the_whole_table() {
        for count in 1..9 {
            let mut parts = shards(count);
            parts.reverse();
            assert_eq!(merged(parts), Ok(table(None)), "{count}");
        }
    }

    #[test]
    fn what_is_missing_doubled_or_of_another_table_is_refused() {
        assert!(merged(Vec::new()).is_err());
        assert!(merged(shards(3)[..2].to_vec()).unwrap_err().contains("missing"));
        let twice = [shards(3), shards(3)[1..2].to_vec()].concat();
        assert!(merged(twice).unwrap_err().contains("twice"));
        let mut other = shards(2);
        other[1].1.terms.seed = 2;
        assert!(merged(other).unwrap_err().contains("no parts of one table"));
        let mixed = [&shards(3)[..1], &shards(4)[..1]].concat();
        assert!(merged(mixed).is_err());
    }
}
