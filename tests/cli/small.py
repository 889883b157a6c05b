"""Settings that make a training last a second."""

SMALL = [
    "backbone.dim=32", "backbone.depth=1", "trainer.max_epochs=2", "trainer.check_val_every_n_epoch=1",
    "+trainer.limit_train_batches=8",
]  # fmt: skip
