"""A pretrained language model in the lab: SmolLM2-135M, taught through TRL and PEFT, logged as any other learner."""
