package query_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/nextslice/nextslice/query"
)

var update = flag.Bool("update", false, "write docs/reference/strategies.md anew")

// The reference of all names is made of List.
func TestReference(t *testing.T) {
	const path = "../docs/reference/strategies.md"
	want := reference()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what List says: run go test ./query -run Reference -update", path)
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString(`# Query strategies

<!-- Written by go test ./query -run Reference -update; change the entries in query or query/reference_test.go instead. -->

A strategy picks the items to label next. Its name is one of these:

    strategy           random, core-set, ...          picks on its own
    score              entropy, dropout, ...          the items with the highest scores
    score+selector     entropy+sb, dropout+power      the selector picks by that score

Options stand in parentheses, the first value being the default: ` + "`dropout(map=variance,passes=4)+sb(draw=partition)`" + `.
` + "`nextslice strategies`" + ` prints this list, ` + "`nextslice strategies --json`" + ` for programs. Costs are for each unlabelled item; a
pass is one forward pass of the network. [How to add one](../how-to/add-a-strategy.md).
`)
	for _, part := range []struct {
		kind  query.Kind
		title string
	}{
		{query.KindStrategy, "Strategies"},
		{query.KindScore, "Scores"},
		{query.KindSelector, "Selectors"},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| name | what it does | options | cost | source |\n|---|---|---|---|---|\n", part.title)
		for _, info := range query.List() {
			if info.Kind == part.kind {
				cell := func(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", info.Name, cell(info.Does), cell(info.Options), cell(info.Cost), cell(info.Source))
			}
		}
	}
	b.WriteString(`
## What the options mean

- ` + "`map`" + `: how several passes become one uncertainty per pixel. ` + "`jsd`" + ` is the entropy of the mean prediction minus the
  mean entropy (mutual information, BALD); ` + "`legacy-jsd`" + ` is half their sum, which the published code of Gaillochet et al. 2023
  computes; ` + "`entropy`" + ` is that of the mean prediction; ` + "`variance`" + ` is the variance over the passes.
- ` + "`aggregation`" + `: how the pixels become one score. ` + "`mean`" + ` over all; over the predicted ` + "`foreground`" + ` and a ` + "`band`" + ` of
  pixels around it; ` + "`max`" + `; over the ` + "`top`" + ` ` + "`fraction`" + ` of the pixels. ` + "`legacy`" + ` (tta) divides by all pixels, those that
  rotated out of the image too.
- ` + "`draw`" + `, ` + "`q`" + `, ` + "`reduce`" + `: see [how stochastic batches are drawn](../decisions/stochastic-batches-drawing.md).

## How a simulation computes them

- All strategies of an initial set start from one network, but those by ` + "`learning-loss`" + ` and by ` + "`ta-vaal`" + `, whose network is trained together
  with its module: these share one among themselves.
- ` + "`dropout`" + `: batch norm stays on its running statistics. The first encoder block, before any dropout, is computed once.
- ` + "`tta`" + `: one plain pass, the others on the image rotated by up to 10° with noise of 0.01; the output is rotated back, and
  only pixels that are inside in all passes count.
- ` + "`ensemble`" + `: the first member is the network that the cycle evaluates; M - 1 more are trained when the query asks for scores.
  With ` + "`bootstrap`" + ` each of those sees as many items as are labelled, drawn with replacement; the first sees all of them once.
  (In the paper of suggestive annotation every member sees a resample.)
- ` + "`learning-loss`" + `: the module is trained on pairs of each mini-batch; ` + "`train.learning-loss`" + ` in the configuration has what it learns by (` + "`loss`" + `: hinge or ranknet; by default ` + "`ta-vaal`" + `'s is ranknet), margin,
  optimiser, and for which part of the training its gradient reaches the encoder: for 0.27 of it in preset ` + "`paper`" + ` (` + "`ta-vaal`" + `: 0.6), not at all in the others, because
  it harms the network ([measured](../results.md#why-learning-loss-fails)). A predicted loss may be negative, which ` + "`power`" + ` does not take.
- ` + "`clasp`" + `: ` + "`fraction`" + ` of the query is shared out among the foreground classes; ` + "`cap=case`" + ` limits how much of it comes from one case; the noise fades
  from query to query, over as many as the simulation has, in annotation and in ` + "`nextslice query`" + ` over the first four. There a query counts that has
  other labels than the one before in the same work folder, which keeps the number in ` + "`number.json`" + `.
- ` + "`batchbald`" + `: one joint for each of ` + "`positions`" + ` pixels, summed; its dropout masks are the same for all slices, those of ` + "`dropout`" + ` are not.
- ` + "`ceal`" + `: pseudo-labels are found anew after each cycle, stand in ` + "`units/*/pseudo-*.json`" + ` and count as no labels; ` + "`cycles.jsonl`" + ` has their number, the share of
  their pixels without a label, the share that holds foreground, and their Dice by the hidden masks, which nobody knows outside a simulation.
- ` + "`vaal`" + `, ` + "`ta-vaal`" + `: ` + "`cycles.jsonl`" + ` has what the discriminator was worth: the errors of the autoencoder, the discriminator's loss (1.386 where it tells
  nothing) and the spread of its logits, below 0.001 of which a notice says that the query is as good as random.
- ` + "`ceal`" + ` in ` + "`nextslice query`" + ` learns from the network of the query before, which stays in the work folder; the first query there has none.
- ` + "`ensemble`" + `, ` + "`dutp`" + `, ` + "`learning-loss`" + `, ` + "`vaal`" + `, ` + "`ta-vaal`" + ` and ` + "`suggestive-annotation`" + ` alone in annotation: what they train beside the network is trained behind each and not kept.
  What is asked for beyond a query, before the next network, is drawn as the cold start draws.
- ` + "`dutp`" + `: copies stand in ` + "`cycles.jsonl`" + ` and are no labels; with ` + "`copies=published`" + ` a query may ask for fewer labels than its size, and one at least. In annotation
  they stand in ` + "`project.db`" + `, with the model whose query made them. In ` + "`nextslice query`" + ` they stand in ` + "`copies.json`" + ` of the work folder, and the next query there that has other labels learns
  from them; another query of the same labels takes the place of the one before. Beyond 4,000 candidates the bins of the intensities go by 4,000 that are drawn.
- ` + "`usim`" + ` compares items by the features of ` + "`badge`" + `; ` + "`typiclust`" + ` by 16 × 16 averages of the slice itself, or, with ` + "`features=vae`" + `, by
  the latent means of an autoencoder that learns from all slices without labels; so it also chooses an initial set (` + "`--initial`" + `, ` + "`--cold-start`" + `).
- ` + "`clasp`" + ` and ` + "`batchbald`" + ` need probabilities that sum to 1: with sigmoids there may be two classes at most.
- Networks trained with ` + "`loss.kind: sigmoid`" + ` have a sigmoid per class as probabilities, which need not sum to 1: their
  entropies are the sums of -p ln p over the classes as they are.
- ` + "`core-set`" + ` and ` + "`suggestive-annotation`" + ` compare the deepest encoder output averaged over the image; ` + "`badge`" + ` the gradient
  of the last layer's weights for the network's own prediction as label, averaged over the pixels.
- What each query has cost stands in ` + "`units/*/timings.jsonl`" + ` of the run folder: seconds of training an ensemble's further
  members, of forward passes and of picking, the number of passes, and the largest memory of the process meanwhile.
`)
	return b.String()
}
