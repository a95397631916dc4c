//! Mistakes in the course of a run: in its loads, in the actions on its nodes, and in what is asserted
//! of it.

/// What is put after a small scenario, and what is said of it.
pub(super) const MISTAKES: &[(&str, &str)] = &[
    // Loads.
    ("[load]\nrate = -5\n", "6:8: `rate` is -5; it must be 0 to 10000"),
    ("[load]\ncount = -5\n", "6:9: `count` is -5; it cannot be negative"),
    ("[load]\n", "5:2: [load] has no `rate`; add rate = 20 (a second), or count = 500 (in all)"),
    (
        "[load]\nrate = 5\ncount = 3\n",
        "7:1: `rate` and `count` cannot both be given; keep one of them",
    ),
    (
        "[load]\nrate = 5\nto = 9\n",
        "7:1: `to` says nothing about a load that is no ramp; take it out",
    ),
    (
        "[load]\nkind = \"ramp\"\nrate = 5\n",
        "7:8: a ramp goes from one rate to another, and `to` is missing; add to = 200, or give `count` in place of `rate`",
    ),
    (
        "[load]\nrate = 5\nfrom = \"30s\"\n",
        "7:8: a load from 30s on, but the run ends at 30s; begin earlier, or raise `duration`",
    ),
    (
        "[load]\nrate = 5\nuntil = \"31s\"\n",
        "7:9: a load until 31s, but the run ends at 30s; end it earlier, or raise `duration`",
    ),
    ("[load]\nrate = 5\nentry = \"n9\"\n", "7:9: there is no node n9; the nodes are n0 to n7"),
    (
        "[load]\nrate = 5\npayload = { min = 9, max = 3 }\n",
        "7:11: `payload` is from 9 to 3; a range is written with its smaller end as `min`",
    ),
    ("[load]\nrate = 5\npayload = \"1MiB\"\n", "7:11: `payload` is 1048576; it must be 0 to 16384"),
    (
        "[load]\nkind = \"burst\"\ncount = 5000\nsenders = 2\n",
        "8:11: a burst of 5000 by 2 senders: pools keep 1000 waiting transactions of each; use 5 senders or more",
    ),
    ("[load]\nrate = 5\nvia = \"n1\"\n", "7:7: `via` cannot be `n1`; it can be here, auto"),
    // Actions.
    (
        "[[at]]\ntime = \"31s\"\nkill = \"n1\"\n",
        "6:8: an action at 31s, after the end of the run at 30s; act earlier, or raise `duration`",
    ),
    (
        "[[at]]\ntime = \"1s\"\n",
        "6:8: [[at]] does nothing; add kill, restart, leave, pause, resume, start, cut, heal, slow, starve, skew or load",
    ),
    ("[[at]]\nkill = \"n1\"\n", "5:1: [[at]] has no `time`; add time = \"10s\""),
    (
        "[[at]]\ntime = \"1s\"\nkill = []\n",
        "7:8: `kill` names nobody; name a node, such as \"n0\", or \"*\" for all",
    ),
    (
        "[[at]]\ntime = \"1s\"\nkill = [\"n1\", \"n0-n2\"]\n",
        "7:15: `kill` names n1 twice; name it once",
    ),
    ("[[at]]\ntime = \"1s\"\nkill = \"n5-n2\"\n", "7:8: `n5-n2` runs backwards; write `n2-n5`"),
    (
        "[[at]]\ntime = \"1s\"\nkill = \"node1\"\n",
        "7:8: `node1` is no node's name; the nodes are n0 to n7",
    ),
    (
        "[[at]]\ntime = \"1s\"\nrestart = \"n1\"\n",
        "7:11: n1 is up and running by then; restart what was killed",
    ),
    (
        "[[at]]\ntime = \"2s\"\nkill = \"n1\"\n[[at]]\ntime = \"3s\"\nkill = \"n1\"\n",
        "10:8: n1 is dead by then: it was killed at 2s; kill what runs",
    ),
    (
        "[[at]]\ntime = \"2s\"\nresume = \"n1\"\n",
        "7:10: n1 is up and running by then; resume what was paused",
    ),
    (
        "[[at]]\ntime = \"2s\"\nkill = \"n1\"\n[[node]]\nnames = \"n1\"\nstart = \"4s\"\n",
        "7:8: n1 has not joined by then; kill what runs",
    ),
    (
        "[[at]]\ntime = \"2s\"\ncut = [[\"n1\"]]\n",
        "7:7: `cut` has 1 groups; write two groups, such as [[\"n0\", \"n1\"], [\"*\"]]: `*` is everyone else",
    ),
    (
        "[[at]]\ntime = \"2s\"\ncut = [[], [\"*\"]]\n",
        "7:8: `cut` names nobody; name a node, such as \"n0\", or \"*\" for all",
    ),
    (
        "[[at]]\ntime = \"2s\"\ncut = [[\"n0-n7\"], [\"*\"]]\n",
        "7:7: `cut` names everyone, so there is nobody else; write two groups, such as [[\"n0\", \"n1\"], [\"*\"]]: `*` is everyone else",
    ),
    (
        "[[at]]\ntime = \"2s\"\ncut = [[\"n0\", \"n1\"], [\"n1\"]]\n",
        "7:7: `cut` has n1 on both sides; write two groups, such as [[\"n0\", \"n1\"], [\"*\"]]: `*` is everyone else",
    ),
    (
        "[topology]\nkind = \"line\"\n[[at]]\ntime = \"2s\"\ncut = [[\"n0\"], [\"n2\"]]\n",
        "9:7: no link joins n0 and n2, so this cuts nothing; name nodes that the [topology] connects",
    ),
    (
        "[[at]]\ntime = \"2s\"\nheal = true\n",
        "7:8: nothing is cut there by then; cut before you heal",
    ),
    (
        "[[at]]\ntime = \"2s\"\nheal = false\n",
        "7:8: `heal` must be true, or two groups such as [[\"n0\"], [\"*\"]], not false",
    ),
    (
        "[[at]]\ntime = \"2s\"\nslow = { nodes = [\"n1\"] }\n",
        "7:18: `slow` does not say how slow; add factor = 10, `uplink`, `downlink` or `delay`",
    ),
    (
        "[[at]]\ntime = \"2s\"\nskew = { nodes = [\"n1\"], by = \"2h\" }\n",
        "7:31: `by` is more than an hour; give -1h to 1h",
    ),
    (
        "[[at]]\ntime = \"2s\"\ntardy = \"n1\"\n",
        "7:1: unknown key `tardy` in [[at]]; it can be cut, heal, kill, leave, load, one-way, pause, restart, resume, skew, slow, start, starve, time",
    ),
    (
        "[[at]]\ntime = \"5s\"\nstarve = { nodes = \"n1\" }\n",
        "7:1: [at.starve] has no `share`; add share = 0.1",
    ),
    (
        "[[at]]\ntime = \"5s\"\nstarve = { nodes = \"n1\", share = 0.01 }\n",
        "7:34: `share` is 0.01; it must be 0.02 to 1",
    ),
    (
        "[[at]]\ntime = \"5s\"\nleave = \"n1\"\n[[at]]\ntime = \"6s\"\nkill = \"n1\"\n",
        "10:8: n1 has left by then, at 5s; kill what runs",
    ),
    (
        "[[at]]\ntime = \"5s\"\npause = \"n1\"\n[[at]]\ntime = \"6s\"\nstarve = { nodes = \"n1\", share = 1 }\n",
        "10:10: n1 is paused since 5s; only a node that runs can be told to change",
    ),
    // Assertions.
    (
        "[assert]\n\"tx.latency_ms.p98\" = \"< 800\"\n",
        "6:1: the report has no field `tx.latency_ms.p98`; did you mean `tx.latency_ms.p99`?",
    ),
    (
        "[assert]\n\"tx.latency_ms\" = \"< 800\"\n",
        "6:1: `tx.latency_ms` is several figures; choose one: p50, p90, p95, p99, max",
    ),
    (
        "[assert]\ncoverage = \"~ 1\"\n",
        "6:12: `coverage` cannot be compared with `~ 1`; write \"< 800\", \"<= 800\", \"> 3\", \">= 3\", \"= 3\" or \"3..5\"",
    ),
    ("[assert]\nvalid = 1\n", "6:9: `valid` is true or false, not a number; write true or false"),
    (
        "[assert]\n\"tx.published\" = \"9..3\"\n",
        "6:18: `tx.published` is to be from 9 to 3; put the smaller number first",
    ),
];
