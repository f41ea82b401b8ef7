package query

import "github.com/nextslice/nextslice/uncertainty"

// taVAAL is task-aware variational adversarial active learning: [vaal] whose decoder and discriminator know how hard an item is for the network. A module
// of the network, that of [learningLoss], is trained along to rank the items of a mini-batch by their loss:
//
//	mean over pairs of ln(1 + exp(-s·(r_i - r_j))),  s = sign(l_i - l_j);  a tie counts 0
//
// and sigmoid(r), of the finished network, of the image as it is augmented, stands beside z and μ. So the autoencoder cannot hide what is hard, and the
// discriminator can ask for it.
//
// Its networks are not those of other strategies, for the module is trained with them. Cost: as vaal, and an encoder pass of the network for each
// image and step.
//
// Source: Kim, Park, Kim, Chun 2021, "Task-aware variational adversarial active learning", CVPR, arXiv 2002.04709, and the code published with it,
// for classification. Differs from the code: the discriminator gets the sigmoid of the rank too; with condition=published it gets r itself, as there. How
// the paper normalises ranks, and its ranking loss in print, could not be established: both are the code's. The module's learning rate is the preset's, there 0.1.
var taVAAL = entry{
	Info: Info{
		Name: "ta-vaal", Kind: KindScore, Title: "TA-VAAL",
		Does:    "as vaal, knowing how a module of the network ranks the item's loss",
		Options: "steps=1000, adversarial=1, condition=rank|published",
		Cost:    "no pass; also trains the module, an autoencoder and a discriminator",
		Source:  "Kim et al. 2021, CVPR, arXiv 2002.04709",
	},
	score: func(o *options) uncertainty.Score {
		s := vaal.score(o)
		s.Critic.Ranked = true
		s.Critic.RawRank = choice(o, "condition", "rank", "published") == "published"
		return s
	},
	write: func(s Spec) []string {
		options := vaal.write(s)
		if s.Score.Critic.RawRank {
			options = append(options, option("condition", "published", "rank"))
		}
		return options
	},
}
