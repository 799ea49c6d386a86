//! A training method as data.

use serde::{Deserialize, Serialize};
use serde_yaml::Mapping;
use vrrl_harness_core::Dialect;
use vrrl_trainer::config::check::{check, least, within};
use vrrl_trainer::config::{ConfigError, Parts, RlConfig, Shaping};
use vrrl_trainer::{DemoConfig, Error, Mix, SupervisedConfig, ALGORITHM};
use vrrl_trainer_model::Config;

use crate::presets;

/// A training method.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Single answers from scratch.
    Base,
    /// Supervised on right proposal, feedback, commit.
    SingleSft,
    /// The same plus recoveries from wrong proposals.
    MultiSft,
    /// Rounds of sampling, correcting and supervised training.
    ReflectionTuning,
    /// GRPO from Single-SFT.
    SingleSftGrpo,
    /// GRPO from Multi-SFT.
    MultiSftGrpo,
    /// The same with Random Turn Masking.
    GrpoRtm,
    /// The same with Buffered Roll-In.
    GrpoBri,
    /// The same with both.
    GrpoRtmBri,
    /// The same with the reflection reward alone.
    GrpoReflection,
    /// VRRL with the last answer's nearness in place of the reflection reward.
    VrrlDistance,
    /// VRRL from Multi-SFT.
    Vrrl,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 12] = [
        Self::Base,
        Self::SingleSft,
        Self::MultiSft,
        Self::ReflectionTuning,
        Self::SingleSftGrpo,
        Self::MultiSftGrpo,
        Self::GrpoRtm,
        Self::GrpoBri,
        Self::GrpoRtmBri,
        Self::GrpoReflection,
        Self::VrrlDistance,
        Self::Vrrl,
    ];

    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::SingleSft => "single_sft",
            Self::MultiSft => "multi_sft",
            Self::ReflectionTuning => "reflection_tuning",
            Self::SingleSftGrpo => "single_sft_grpo",
            Self::MultiSftGrpo => "multi_sft_grpo",
            Self::GrpoRtm => "grpo_rtm",
            Self::GrpoBri => "grpo_bri",
            Self::GrpoRtmBri => "grpo_rtm_bri",
            Self::GrpoReflection => "grpo_reflection",
            Self::VrrlDistance => "vrrl_distance",
            Self::Vrrl => "vrrl",
        }
    }

    /// Whether it needs a checkpoint to start from.
    #[must_use]
    pub fn needs_start(self) -> bool {
        self != Self::Base
    }

    /// What it adds to GRPO; `None` for methods without reinforcement.
    #[must_use]
    pub fn parts(self) -> Option<Parts> {
        Some(match self {
            Self::Base | Self::SingleSft | Self::MultiSft | Self::ReflectionTuning => return None,
            Self::SingleSftGrpo | Self::MultiSftGrpo => Parts::GRPO,
            Self::GrpoRtm => Parts { rtm: true, ..Parts::GRPO },
            Self::GrpoBri => Parts { buffer: true, ..Parts::GRPO },
            Self::GrpoRtmBri => Parts { shaping: Shaping::Outcome, ..Parts::VRRL },
            Self::GrpoReflection => Parts { shaping: Shaping::Reflection, ..Parts::GRPO },
            Self::VrrlDistance => Parts { shaping: Shaping::Distance, ..Parts::VRRL },
            Self::Vrrl => Parts::VRRL,
        })
    }

    fn reinforces(self) -> bool {
        self.parts().is_some()
    }
}

/// Sizes of the network that `base` makes; everything else follows from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// Channels of the image encoder.
    pub channels: usize,
    /// Convolution blocks of the image encoder.
    pub blocks: usize,
    /// Width of the decoder.
    pub width: usize,
    /// Layers of the decoder.
    pub layers: usize,
    /// Pixels on a side of a patch of the 64 × 64 canvas: 8 for mazes, whose cells these are; 4 where letters must be
    /// read, at four times the image tokens.
    #[serde(default = "eight", skip_serializing_if = "is_eight")]
    pub patch: usize,
    /// Blocks on each grid that is finer than the one of `blocks`, see [`Config::folds`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<usize>,
    /// What a pixel of the background is, in [-1, 1]: 1 for white paper.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paper: f32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(paper: &f32) -> bool {
    paper.abs() <= 0.0
}

fn eight() -> usize {
    8
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_eight(patch: &usize) -> bool {
    *patch == 8
}

impl Default for NetworkConfig {
    fn default() -> Self {
        let small = Config::small(1);
        Self {
            channels: small.channels,
            blocks: small.blocks,
            width: small.width,
            layers: small.layers,
            patch: small.patch,
            folds: Vec::new(),
            paper: small.paper,
        }
    }
}

impl NetworkConfig {
    /// The network's full configuration.
    #[must_use]
    pub fn config(&self, vocab: usize) -> Config {
        let Self { channels, blocks, width, layers, patch, paper, .. } = *self;
        let small = Config::small(vocab);
        let side = small.side * small.patch / patch.max(1);
        let folds = self.folds.clone();
        let own =
            Config { channels, blocks, width, layers, patch, paper, side, folds, hidden: 3 * width, ..small };
        // Room for a reply as long as with the fewest image tokens.
        let slots = own.slots - Config::small(vocab).image_tokens() + own.image_tokens();
        Config { slots, ..own }
    }
}

/// Settings of Reflection Tuning.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuningConfig {
    /// Rounds; the paper has five.
    pub rounds: u64,
    /// Training prompts sampled a round.
    pub prompts: usize,
    /// Sampling temperature.
    pub temperature: f64,
}

impl Default for TuningConfig {
    fn default() -> Self {
        Self { rounds: 5, prompts: 2000, temperature: 1.0 }
    }
}

/// A recipe file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The method.
    pub method: Method,
    /// Seed of weights, data order and sampling.
    #[serde(default = "one")]
    pub seed: u64,
    /// Split that training examples come from, or several by equal parts.
    pub train: Mix,
    /// Hold-out split: chooses the checkpoint of a reinforcement stage; the others look at it and keep their last
    /// weights.
    pub val: Mix,
    /// Turn language.
    #[serde(default = "bare")]
    pub dialect: Dialect,
    /// Sizes of the network (`base` only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkConfig>,
    /// What demonstrations look like (`base` and the SFT family).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demos: Option<DemoConfig>,
    /// The supervised stage (`base`, the SFT family, each round of reflection tuning).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sft: Option<SupervisedConfig>,
    /// Reflection tuning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<TuningConfig>,
    /// The reinforcement stage: `preset` (`small`, `paper`, `code`) and settings over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rl: Option<Mapping>,
}

fn one() -> u64 {
    1
}

fn bare() -> Dialect {
    Dialect::BareCommit
}

impl Recipe {
    /// Reads a recipe file's text.
    ///
    /// # Errors
    /// If it does not parse, has an unknown key, or describes nothing that can be trained.
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        let resolved = presets::resolve(text)?;
        let recipe: Self = serde_yaml::from_str(&resolved).map_err(|e| {
            let reason = e.to_string();
            let lines = resolved == text;
            Error::Recipe(if lines { reason } else { without_line(&reason).to_owned() })
        })?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Checks what can be checked before anything runs.
    ///
    /// # Errors
    /// If a block does not belong to the method, or a setting is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let method = self.method.word();
        let refuse = |reason: String| Err(Error::Recipe(reason));
        if self.rl.is_some() && !self.method.reinforces() {
            return refuse(format!("`rl` does nothing in `{method}`; remove it"));
        }
        if self.network.is_some() && self.method.needs_start() {
            return refuse(format!(
                "`network` does nothing in `{method}`, which starts from a checkpoint; remove it"
            ));
        }
        if self.tuning.is_some() && self.method != Method::ReflectionTuning {
            return refuse(format!("`tuning` does nothing in `{method}`; remove it"));
        }
        if self.method.reinforces() {
            if self.sft.is_some() || self.demos.is_some() {
                return refuse(format!("`sft` and `demos` do nothing in `{method}`; remove them"));
            }
            self.rl_config()?;
        }
        if self.method == Method::SingleSft && self.demos.is_some() {
            return refuse("`demos` does nothing in `single_sft`; remove it, or use `multi_sft`".into());
        }
        if let Some(network) = &self.network {
            if ![2, 4, 8].contains(&network.patch) {
                return refuse("`network.patch` is 8 (mazes), or 4 or 2 where letters are read".into());
            }
            network.config(1).validate().map_err(|e| Error::Recipe(format!("`network`: {e}")))?;
        }
        self.sft.map_or(Ok(()), |sft| sft.validate())?;
        if let Some(demos) = &self.demos {
            demos.validate()?;
            if let Some(key) = self.idle(demos) {
                return refuse(format!("`demos.{key}` does nothing in `{method}`; remove it"));
            }
        }
        if let Some(tuning) = &self.tuning {
            check("tuning.rounds", tuning.rounds, tuning.rounds >= 1, "at least 1")?;
            least("tuning.prompts", tuning.prompts, 1)?;
            within("tuning.temperature", tuning.temperature, 0.01, 10.0)?;
        }
        Ok(())
    }

    /// A key of `demos` that is set and that the method does not read.
    fn idle(&self, demos: &DemoConfig) -> Option<&'static str> {
        let usual = DemoConfig::default();
        let same = |a: f64, b: f64| (a - b).abs() <= 0.0;
        let base = [
            ("drawn_share", same(demos.drawn_share, usual.drawn_share)),
            ("overlay_share", same(demos.overlay_share, usual.overlay_share)),
            ("read_share", same(demos.read_share, usual.read_share)),
        ];
        let multi = [
            ("multi_share", same(demos.multi_share, usual.multi_share)),
            ("max_wrong", demos.max_wrong == usual.max_wrong),
        ];
        let second = [("second_share", same(demos.second_share, usual.second_share))];
        let decision = [("decision_weight", same(demos.decision_weight, usual.decision_weight))];
        let unread: Vec<&(&'static str, bool)> = match self.method {
            Method::Base => multi.iter().chain(&decision).collect(),
            Method::MultiSft => base.iter().collect(),
            _ => base.iter().chain(&multi).chain(&second).collect(),
        };
        unread.into_iter().find(|(_, usual)| !usual).map(|(key, _)| *key)
    }

    /// What decides a training, but for its start and splits: presets as what they say, the version of what the stages
    /// compute, and no limit on spikes, which stops a training and changes nothing in it, so that one that it stopped goes on
    /// with another limit.
    ///
    /// # Errors
    /// As [`Recipe::rl_config`].
    pub fn settings(&self) -> Result<serde_json::Value, Error> {
        let unwritten = |e: serde_json::Error| Error::Recipe(e.to_string());
        let mut settings = serde_json::to_value(self).map_err(unwritten)?;
        if self.method.reinforces() {
            settings["rl"] = serde_json::to_value(self.rl_config()?).map_err(unwritten)?;
        }
        settings["algorithm"] = ALGORITHM.into();
        if let Some(all) = settings.as_object_mut() {
            all.retain(|key, _| !["train", "val"].contains(&key.as_str()));
            for block in ["sft", "rl"] {
                if let Some(block) = all.get_mut(block).and_then(serde_json::Value::as_object_mut) {
                    block.remove("spike");
                }
            }
        }
        Ok(settings)
    }

    /// The reinforcement settings: the preset with the recipe's own over it.
    ///
    /// # Errors
    /// If the preset is unknown or a setting is wrong.
    pub fn rl_config(&self) -> Result<RlConfig, Error> {
        let mut own = self.rl.clone().unwrap_or_default();
        let preset = own.remove("preset");
        let name = preset.as_ref().map_or(Some("small"), |v| v.as_str());
        let name = name.ok_or_else(|| Error::Recipe("`rl.preset` is a name: small, paper or code".into()))?;
        let parts = self.method.parts().unwrap_or(Parts::GRPO);
        let base = RlConfig::preset(name, parts)?;
        if own.is_empty() {
            return Ok(base);
        }
        let text = serde_yaml::to_string(&own).map_err(|e| Error::Recipe(format!("`rl`: {e}")))?;
        // A line of the block on its own is none of the file's.
        let config = base.over(&text).map_err(|e| match e {
            ConfigError::Yaml(e) => Error::Recipe(format!("`rl`: {}", without_line(&e.to_string()))),
            other => other.into(),
        })?;
        if config.parts() == parts {
            return Ok(config);
        }
        let fits = Method::ALL.into_iter().rev().find(|m| m.parts() == Some(config.parts()));
        let fits = fits.map_or_else(
            || "no method is called that".to_owned(),
            |m| format!("with these settings it is `{}`", m.word()),
        );
        Err(Error::Recipe(format!(
            "`rl` switches a part of `{}` on or off (rtm, buffer, or what the reward pays for); {fits}",
            self.method.word()
        )))
    }
}

/// A message about generated text, without the line that only that text has.
#[must_use]
pub fn without_line(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "train: quick/maze/train\nval: quick/maze/id_val\n";

    #[test]
    fn settings_lie_over_their_preset() {
        let text = format!("method: vrrl\n{HEAD}rl: {{preset: small, steps: 7, buffer: {{share: 0.5}}}}\n");
        let config = Recipe::from_yaml(&text).unwrap().rl_config().unwrap();
        let buffer = config.buffer.unwrap();
        assert_eq!((config.steps, buffer.capacity), (7, 500));
        assert!((buffer.share - 0.5).abs() < 1e-12 && config.rtm.is_some());
    }

    #[test]
    fn presets_of_supervised_stages_lie_under_what_is_written() {
        let text = format!("method: multi_sft\n{HEAD}sft: {{preset: paper, steps: 9}}\n");
        let sft = Recipe::from_yaml(&text).unwrap().sft.unwrap();
        assert_eq!((sft.steps, sft.batch), (9, 48));
        assert!((sft.lr - 2e-6).abs() < 1e-18);
        let text = format!("method: reflection_tuning\n{HEAD}tuning: {{preset: paper, prompts: 7}}\n");
        let tuning = Recipe::from_yaml(&text).unwrap().tuning.unwrap();
        assert_eq!((tuning.rounds, tuning.prompts), (5, 7));
    }

    #[test]
    fn every_method_has_its_parts_in_every_preset() {
        for method in Method::ALL {
            let Some(parts) = method.parts() else { continue };
            for preset in ["small", "paper", "code"] {
                let text = format!("method: {}\n{HEAD}rl: {{preset: {preset}, steps: 5}}\n", method.word());
                assert_eq!(Recipe::from_yaml(&text).unwrap().rl_config().unwrap().parts(), parts);
            }
        }
    }

    #[test]
    fn grpo_has_neither_mask_nor_buffer() {
        let recipe = Recipe::from_yaml(&format!("method: multi_sft_grpo\n{HEAD}")).unwrap();
        let config = recipe.rl_config().unwrap();
        assert!(config.rtm.is_none() && config.buffer.is_none());
    }

    #[test]
    fn presets_count_as_what_they_say_and_limits_on_spikes_not_at_all() {
        let settings = |rl: &str| {
            let text = format!("method: vrrl\n{HEAD}rl: {rl}\n");
            Recipe::from_yaml(&text).unwrap().settings().unwrap()
        };
        let short = settings("{steps: 7}");
        assert_eq!(short, settings("{steps: 7, spike: null}"));
        assert_eq!(short, settings("{steps: 7, spike: 40}"));
        assert_ne!(short, settings("{steps: 8}"));
        assert_eq!(short, settings("{preset: small, steps: 7, turn0_credit: true}"));
        assert_ne!(short, settings("{preset: code, steps: 7}"));
        assert!(short.get("train").is_none() && short["seed"] == 1, "{short}");
        assert_eq!(
            short["algorithm"], ALGORITHM,
            "what an older version trained is not taken for this one's"
        );
    }

    #[test]
    fn wrong_recipes_say_what_to_do() {
        for (text, want) in [
            ("method: multi_sft\nrl: {}\n", "`rl` does nothing in `multi_sft`"),
            ("method: vrrl\nnetwork: {}\n", "starts from a checkpoint"),
            ("method: vrrl\nrl: {preset: smal}\n", "no preset is called `smal`"),
            ("method: vrrl\nrl: {stepz: 3}\n", "stepz"),
            ("method: multi_sft\nsft: {steps: 0}\n", "steps"),
            (
                "method: multi_sft\ndemos: {read_share: 0.1}\n",
                "`demos.read_share` does nothing in `multi_sft`",
            ),
            ("method: base\ndemos: {max_wrong: 1}\n", "`demos.max_wrong` does nothing in `base`"),
            ("method: base\ndemos: {overlay_right: 0.5}\n", "0 without `demos.overlay_share`"),
            ("method: base\ndemos: {overlay_share: 0.7, read_share: 0.4}\n", "sum to at most 1"),
            ("method: multi_sft\ndemos: {max_wrong: 7}\n", "`demos.max_wrong` is 7, but must be 1 to 6"),
            ("method: multi_sft\ndemos: {decision_weight: .inf}\n", "`demos.decision_weight` is inf"),
            ("method: multi_sft\nsft: {preset: paper, steps: 3, steps: 4}\n", "duplicate"),
            ("method: reflection_tuning\ntuning: {temperature: .nan}\n", "`tuning.temperature` is NaN"),
            ("method: reflection_tuning\ndemos: {multi_share: 0.1}\n", "`demos.multi_share` does nothing"),
            ("method: vrrl\nrl: {reward: vrrl_papr}\n", "there are vrrl_paper, vrrl_code, outcome_only"),
            ("method: vrrl\nrl: {reward: {maze: {lamda_deg: 0.5}}}\n", "lamda_deg"),
            ("method: vrrl\nrl: {reward: {maze: {lambda_deg: -5}}}\n", "lambda_deg is -5"),
            ("method: vrrl\nrl: {buffer: {share: lots}}\n", "`rl`: buffer.share: invalid type"),
            ("method: vrl\n", "vrl"),
            ("method: vrrl\nrl: {rtm: null}\n", "no method is called that"),
            ("method: vrrl\nrl: {buffer: null, rtm: null}\n", "it is `grpo_reflection`"),
            ("method: grpo_rtm\nrl: {reward: vrrl_paper}\n", "no method is called that"),
            ("method: multi_sft\nsft: {preset: papper}\n", "papper"),
            ("method: base\nnetwork: {patch: 3}\n", "`network.patch` is 8"),
            ("method: base\nnetwork: {paper: 255}\n", "`paper`"),
            ("method: base\nnetwork: {folds: [1, 1, 1]}\n", "halve once for each of `folds`"),
            (&format!("method: base\nnetwork: {{folds: {:?}}}\n", [1; 99]), "halve once for each of `folds`"),
        ] {
            let error = Recipe::from_yaml(&format!("{text}{HEAD}")).unwrap_err().to_string();
            assert!(error.contains(want), "{text}: {error}");
        }
    }
}
