"""Integer attention core: softmax attention in multiply-accumulates, on vectors of lanes."""
