use super::*;
use crate::rtm::Turns;

fn names(config: &RlConfig) -> Vec<&'static str> {
    config.mechanisms().into_iter().map(|m| m.name).collect()
}

#[test]
fn presets_are_valid_and_survive_their_text() {
    for name in ["paper", "code", "small"] {
        let distance = Parts { shaping: Shaping::Distance, ..Parts::VRRL };
        let masked = Parts { rtm: true, ..Parts::GRPO };
        let reflects = Parts { shaping: Shaping::Reflection, ..Parts::GRPO };
        for parts in [Parts::GRPO, Parts::VRRL, distance, masked, reflects] {
            let config = RlConfig::preset(name, parts).unwrap();
            config.validate().unwrap();
            assert_eq!(config.parts(), parts);
            let text = serde_yaml::to_string(&config).unwrap();
            assert_eq!(RlConfig::from_yaml(&text).unwrap(), config, "{text}");
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<RlConfig>(&json).unwrap(), config);
        }
    }
    let error = RlConfig::preset("papper", Parts::VRRL).unwrap_err().to_string();
    assert!(error.contains("papper") && error.contains("`paper`"), "{error}");
}

#[test]
fn presets_differ_where_paper_and_code_do() {
    let paper = RlConfig::preset("paper", Parts::VRRL).unwrap();
    let code = RlConfig::preset("code", Parts::VRRL).unwrap();
    let (p, c) = (paper.buffer.as_ref().unwrap(), code.buffer.as_ref().unwrap());
    assert!((paper.rho() - 2.0 / 3.0).abs() < 1e-12 && (code.rho() - 0.6).abs() < 1e-12);
    assert_eq!((p.right_share, p.max_age, p.max_proposals), (0.3, 100, None));
    assert_eq!((c.right_share, c.max_age, c.max_proposals), (0.1, 50, Some(2)));
    assert_eq!((p.capacity, p.per_question, p.min_fill), (c.capacity, c.per_question, c.min_fill));
    assert_eq!((paper.rtm.unwrap().turns, code.rtm.unwrap().turns), (Turns::Paper, Turns::Code));
    assert_eq!((paper.reward.as_str(), code.reward.as_str()), (Some("vrrl_paper"), Some("vrrl_code")));
    assert!((RlConfig::default().rho() - 1.0).abs() < 1e-12);
}

#[test]
fn unknown_keys_are_refused_by_name_and_line() {
    let error = RlConfig::from_yaml("steps: 10\nclip:\n  lo: 0.2\n").unwrap_err().to_string();
    assert!(error.contains("`lo`") && error.contains("`low`") && error.contains("line 3"), "{error}");
    for text in
        ["stepz: 3", "buffer: {sharee: 1}", "rtm: {turn: paper}", "filter: {lo: 0}", "buffer: {gate: {a: 1}}"]
    {
        let error = RlConfig::from_yaml(text).unwrap_err().to_string();
        assert!(error.contains("unknown field"), "{text}: {error}");
    }
    for text in ["steps: -1", "steps: many", "[1, 2]", "token_mean: both", "steps: [", "lr: {}"] {
        assert!(RlConfig::from_yaml(text).is_err(), "{text}");
    }
}

#[test]
fn ranges_name_their_key() {
    let table = [
        ("steps: 0", "`steps` is 0, but must be at least 1"),
        ("questions: 0", "`questions`"),
        ("group: 1", "`group` is 1, but must be at least 2"),
        ("spike: 1", "`spike` is 1, but must be 2 to"),
        ("lr: 0", "`lr` is 0, but must be above 0, at most 1"),
        ("lr: .nan", "`lr`"),
        ("lr_final: 1.5", "`lr_final`"),
        ("{steps: 5, warmup: 6}", "`warmup` is 6, but must be at most `steps`"),
        ("weight_decay: -1", "`weight_decay`"),
        ("grad_clip: 0", "`grad_clip`"),
        ("clip: {low: 1.2}", "`clip.low` is 1.2, but must be 0 to 1"),
        ("clip: {high: -0.1}", "`clip.high`"),
        ("clip: {dual: 1.1}", "`clip.dual`"),
        ("clip: {kl: .inf}", "`clip.kl`"),
        ("std_floor: 0", "`std_floor`"),
        ("temperature: 0", "`temperature`"),
        ("max_turns: 1", "`max_turns`"),
        ("filter: {low: 0.9, high: 0.1}", "`filter.high`"),
        ("reward: 3", "`reward` is a number"),
        ("reward: ''", "`reward` is an empty text"),
        ("rtm: {keep_first: 2}", "`rtm.keep_first`"),
        ("buffer: {share: 1}", "`buffer.share` is 1, but must be above 0 and below 1"),
        ("buffer: {right_share: -0.1}", "`buffer.right_share`"),
        ("buffer: {capacity: 10}", "`buffer.min_fill` is 32, but must be at most `buffer.capacity`"),
        ("buffer: {per_question: 0}", "`buffer.per_question`"),
        ("buffer: {max_age: 0}", "`buffer.max_age`"),
        ("buffer: {max_proposals: 0}", "`buffer.max_proposals`"),
        ("buffer: {gate: {low: 0.5, high: 0.5}}", "`buffer.gate.high`"),
    ];
    for (text, want) in table {
        let error = RlConfig::from_yaml(text).unwrap_err().to_string();
        assert!(error.starts_with(want), "{text}: {error}");
    }
}

#[test]
fn a_text_over_a_preset_changes_only_what_it_says() {
    let paper = RlConfig::preset("paper", Parts::VRRL).unwrap();
    let got = paper.over("buffer: {max_age: 7}\nreward: {reflect_weight: 0}\nfilter: null\n").unwrap();
    let mut want = paper.clone();
    want.buffer.as_mut().unwrap().max_age = 7;
    want.reward = serde_yaml::from_str("reflect_weight: 0").unwrap();
    want.filter = None;
    assert_eq!(got, want);
    assert_eq!(paper.over("").unwrap(), paper);
    assert_eq!(paper.over("# nothing\n").unwrap(), paper);
    // A reward block does not leak the preset's block through.
    let small = RlConfig::preset("small", Parts::VRRL).unwrap();
    let bare = small.over("reward: {maze: {step_cost: 0.1}}").unwrap();
    assert_eq!(bare.reward, serde_yaml::from_str::<Value>("maze: {step_cost: 0.1}").unwrap());
    // A block switched on over a preset without it starts from its defaults.
    let on = RlConfig::from_yaml("buffer: {}\nrtm: {}").unwrap();
    assert_eq!(on.buffer, Some(BufferConfig::small()));
}

#[test]
fn mechanisms_follow_what_is_on() {
    assert_eq!(names(&RlConfig::default()), ["groups", "filter", "kl"]);
    let vrrl = RlConfig::preset("small", Parts::VRRL).unwrap();
    assert_eq!(
        names(&vrrl),
        ["groups", "rtm", "buffer", "ban", "ban_credit", "reflection_reward", "filter", "kl", "turn0_credit"]
    );
    let some = vrrl.over("{clip: {kl: 0}, filter: null, buffer: {ban: never}, turn0_credit: false}").unwrap();
    assert_eq!(names(&some), ["groups", "rtm", "buffer", "reflection_reward"]);
    for (reward, on) in [
        ("outcome_only", Shaping::Outcome),
        ("vrrl_code", Shaping::Reflection),
        ("{reflect_weight: 0}", Shaping::Outcome),
        ("{reflect_weight: 0, outcome: graded}", Shaping::Distance),
        ("{maze: {reflect_weight: 0, reflect_bonus: 0.1}}", Shaping::Reflection),
        ("{maze: {reflect_weight: 0}, grounding: {reflect_weight: 0.0}}", Shaping::Outcome),
        ("{step_cost: 0.1}", Shaping::Reflection),
    ] {
        let reward: Value = serde_yaml::from_str(reward).unwrap();
        let config = RlConfig { reward: reward.clone(), ..RlConfig::default() };
        assert_eq!(config.parts().shaping, on, "{reward:?}");
    }
}

#[test]
fn the_usual_limit_on_spikes_is_not_written() {
    // So that recipes hash as before there was one.
    let config = RlConfig::default();
    assert!(!serde_yaml::to_string(&config).unwrap().contains("spike"));
    for text in ["spike: null", "spike: 30"] {
        let other = config.over(text).unwrap();
        assert_ne!(other.spike, config.spike);
        assert_eq!(RlConfig::from_yaml(&serde_yaml::to_string(&other).unwrap()).unwrap(), other);
    }
}
