// Package unet is the network of the paper: a U-Net (Ronneberger, Fischer, Brox 2015, MICCAI) of three levels for one-channel slices.
//
//	enc1     1 →  32 →  64   (H)     → max pool 2 → dropout
//	enc2    64 →  64 → 128   (H/2)   → max pool 2 → dropout
//	enc3   128 → 128 → 256   (H/4)   → max pool 2 → dropout
//	center 256 → 256 → 512   (H/8)
//	up1    512 → 512, concat [up1, enc3] → dropout → dec1 768 → 256 → 256
//	up2    256 → 256, concat [up2, enc2] → dropout → dec2 384 → 128 → 128
//	up3    128 → 128, concat [up3, enc1] → dropout → dec3 192 →  64 →  64
//	out    convolution 1×1, 64 → K
//
// Each arrow of enc, center and dec is an nn.Block: convolution 3×3, batch normalisation, LeakyReLU. The numbers are
// those of width 64; another width scales them all. Where H or W is not a multiple of 8, the up-sampled map is padded
// with zeros at the right and at the bottom to its skip's size.
//
// Concatenation moves no data: up and enc write into two views of one tensor.
//
// Source: Gaillochet, Desrosiers, Lombaert, Active learning for medical image segmentation with stochastic batches,
// Medical Image Analysis 90 (2023), and its published code.
package unet
