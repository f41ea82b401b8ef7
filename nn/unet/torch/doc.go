// Package torch computes networks of package unet in a process of the user's own Python with PyTorch: on a GPU by CUDA, ROCm, MPS or XPU.
//
// [Engine] is a tensor.Engine, which for single operations is another one on the processor, and a unet.Host: the networks, the loss and
// Adam are in the worker, worker.py. A training step or an inference pass is one message, so that activations stay on the GPU; the order
// of the slices, augmentation, schedule, seeds of dropout, the module of learning loss, scores and files stay in Go.
//
// # Protocol
//
// The worker's text is sent first: 4 bytes of little-endian length and the text. From then on frames go both ways: 4 bytes of little-endian
// length, JSON, then the arrays whose sizes follow from it, in the machine's byte order. The first is {device, job, precision, eager,
// threads}, answered by {torch, device, name, precision, graph}. Every message names its net, and the ids that have become free. An answer
// {error, kind} is the worker's last one: it ends after it.
//
//	op       in                                                        out
//	new      classes, width, dropout, channels                         –
//	put      part; the state                                           –
//	get      part, gradient                                            the state, then the gradients if asked for
//	step     n h w, seed, loss, adam, deep; x [N H W C] float32,       items [N]; with through first items and features, then
//	         target [N H W] uint8, merged [N K] uint8 if there         op through comes: gradient, or stop; the gradients; answer –
//	forward  n h w, dropout, seed, same, features, encoder, again;     the features if asked for, logits [N H W K] unless encoder
//	         x unless again
//	logits   –                                                         logits of the last step
//	head     n h w; dlogits [N H W K]                                  [N width K]
//
// States are as nn.Params.Export has them.
package torch
