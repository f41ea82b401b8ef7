package annotate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/nextslice/nextslice/annotate/fault"
	"github.com/nextslice/nextslice/annotate/store"
)

// Curves tell how well the model does and what labels have cost.
type Curves struct {
	Cycles   []CyclePoint `json:"cycles"`
	Judged   Judged       `json:"judged"`
	Labels   []LabelPoint `json:"labels"`
	Forecast *Forecast    `json:"forecast"`
}

// Judged are the validation labels behind the Dice of every model.
type Judged struct {
	Labels     int `json:"labels"`     // slices
	Foreground int `json:"foreground"` // of them with foreground
	Cases      int `json:"cases"`
}

// CyclePoint is one training.
type CyclePoint struct {
	Cycle          int      `json:"cycle"`
	Labelled       int      `json:"labelled"`        // training labels that the model saw
	Minutes        float64  `json:"minutes"`         // that people had spent until then
	ValidationDice *float64 `json:"validation_dice"` // on the validation labels as they are now; null without
	ProposalDice   *float64 `json:"proposal_dice"`   // mean over the labels that began with this model's proposal
}

// LabelPoint is one saved label.
type LabelPoint struct {
	N              int      `json:"n"` // 1, 2 … in the order of saving
	Item           string   `json:"item"`
	DiceToProposal *float64 `json:"dice_to_proposal"`
	Seconds        float64  `json:"seconds"`
}

// Forecast is what the next query is expected to bring.
type Forecast struct {
	NextLabels int      `json:"next_labels"`
	Gain       *float64 `json:"gain"` // of validation Dice; null while there are too few models or validation labels to tell
	Text       string   `json:"text"`

	Said []fault.Message `json:"said" doc:"The text as codes, for other languages."`
}

// Curves returns the quality estimates so far.
func (d *Dashboard) Curves(ctx context.Context) (Curves, error) {
	c := Curves{Cycles: []CyclePoint{}, Labels: []LabelPoint{}}
	models, err := d.jury.models(ctx)
	if err != nil {
		return c, err
	}
	verdict := d.jury.now()
	c.Judged = Judged{verdict.Labels, verdict.Foreground, verdict.Cases}
	history, err := d.store.History(ctx)
	if err != nil {
		return c, err
	}
	sum, n := map[int]float64{}, map[int]int{}
	for _, v := range history {
		if v.Action == store.ActionAdopted || v.Action == store.ActionRestored || v.Action == store.ActionAgreed {
			continue
		}
		c.Labels = append(c.Labels, LabelPoint{len(c.Labels) + 1, v.Item.String(), v.Dice, v.Seconds})
		if v.Proposal != nil && v.Dice != nil {
			sum[*v.Proposal] += *v.Dice
			n[*v.Proposal]++
		}
	}
	for _, m := range models {
		point := CyclePoint{Cycle: m.Cycle, Labelled: m.Labelled, Minutes: m.Seconds / 60, ValidationDice: m.Dice}
		if n[m.Version] > 0 {
			mean := sum[m.Version] / float64(n[m.Version])
			point.ProposalDice = &mean
		}
		c.Cycles = append(c.Cycles, point)
	}
	c.Forecast = forecast(models, d.config.QuerySize, verdict.Foreground)
	return c, nil
}

// forecast extrapolates the validation Dice to the next query's labels. It takes as many validation slices with foreground as to suggest a stop.
func forecast(models []store.Model, next, validation int) *Forecast {
	f := &Forecast{NextLabels: next, Text: "Too few models to tell what more labels would bring: it takes three with validation labels.", Said: []fault.Message{fault.Say(fault.ForecastNone)}}
	if validation < stopLabels {
		f.Text = fmt.Sprintf("Too few validation slices with foreground to tell what more labels would bring: it takes %d, there are %d.", stopLabels, validation)
		f.Said = []fault.Message{fault.Say(fault.ForecastLabels, "least", stopLabels, "n", validation)}
		return f
	}
	var n, d []float64
	for _, m := range models {
		if m.Dice != nil {
			n, d = append(n, float64(m.Labelled)), append(d, *m.Dice)
		}
	}
	law, ok := fitPowerLaw(n, d)
	if !ok {
		return f
	}
	last := n[len(n)-1]
	gain := law.at(last+float64(next)) - law.at(last)
	f.Gain = &gain
	f.Text = fmt.Sprintf("The next %d labels are expected to bring %+.3f validation Dice.", next, gain)
	f.Said = []fault.Message{fault.Say(fault.ForecastGain, "n", next, "gain", gain)}
	return f
}

// powerLaw is the usual shape of a learning curve, d(n) = a - b·n^-c with b ≥ 0 and c > 0: it rises ever more slowly
// towards a. Source: Figueroa et al. 2012, "Predicting sample size required for classification performance", BMC Medical
// Informatics and Decision Making 12:8.
type powerLaw struct{ a, b, c float64 }

func (l powerLaw) at(n float64) float64 { return l.a - l.b*math.Pow(n, -l.c) }

// fitPowerLaw returns the law of least squares among exponents of 0.1 to 2, with d never above 1 in the limit. It needs
// three points of different n. A curve that falls gets b = 0: no gain is expected.
func fitPowerLaw(n, d []float64) (best powerLaw, ok bool) {
	distinct := map[float64]bool{}
	for _, v := range n {
		distinct[v] = v > 0
	}
	if len(distinct) < 3 {
		return best, false
	}
	least := math.Inf(1)
	for c := 0.1; c <= 2; c += 0.05 {
		// Linear least squares of d = a - b·x with x = n^-c.
		var mx, md, xx, xd float64
		for i := range n {
			mx += math.Pow(n[i], -c) / float64(len(n))
			md += d[i] / float64(len(n))
		}
		for i := range n {
			x := math.Pow(n[i], -c) - mx
			xx += x * x
			xd += x * (d[i] - md)
		}
		l := powerLaw{b: max(0, -xd/xx), c: c}
		l.a = md + l.b*mx
		if l.a > 1 { // through the centre of the points, towards 1
			l.a, l.b = 1, (1-md)/mx
		}
		squares := 0.0
		for i := range n {
			e := d[i] - l.at(n[i])
			squares += e * e
		}
		if squares < least {
			least, best = squares, l
		}
	}
	return best, true
}

// When more labels would hardly help: over the last stopCycles cycles the best validation Dice has risen by less than
// stopRise, and the next query is expected to bring less than stopGain. Fewer than stopLabels validation slices with foreground tell
// nothing: the Dice of a lucky few is no measure.
const (
	stopCycles = 3
	stopRise   = 0.01
	stopGain   = 0.005
	stopLabels = 10
)

// suggestStop applies that rule.
func suggestStop(models []store.Model, next, unlabelled, validation int) Stop {
	if unlabelled == 0 {
		return stop(true, "Every slice of the training cases is labelled or skipped.", fault.Say(fault.StopAll))
	}
	if validation < stopLabels {
		return stop(false, fmt.Sprintf("It takes %d validation slices with foreground to tell; there are %d.", stopLabels, validation), fault.Say(fault.StopLabels, "least", stopLabels, "n", validation))
	}
	var dice []float64
	for _, m := range models {
		if m.Dice != nil {
			dice = append(dice, *m.Dice)
		}
	}
	if len(dice) <= stopCycles {
		return stop(false, fmt.Sprintf("It takes %d models with validation labels to tell; there are %d.", stopCycles+1, len(dice)), fault.Say(fault.StopModels, "least", stopCycles+1, "n", len(dice)))
	}
	best := slices.Max(dice)
	rise := best - slices.Max(dice[:len(dice)-stopCycles])
	f := forecast(models, next, validation)
	if f.Gain == nil || rise >= stopRise || *f.Gain >= stopGain {
		return stop(false, fmt.Sprintf("The last %d cycles have raised the best validation Dice by %.3f. %s", stopCycles, rise, f.Text),
			fault.Say(fault.StopRise, "cycles", stopCycles, "rise", rise), f.Said...)
	}
	return stop(true, fmt.Sprintf("More labels would hardly help: the last %d cycles have raised the best validation Dice by %.3f only, to %.3f. %s", stopCycles, rise, best, f.Text),
		fault.Say(fault.StopEnough, "cycles", stopCycles, "rise", rise, "dice", best), f.Said...)
}

func stop(suggested bool, reason string, m fault.Message, further ...fault.Message) Stop {
	return Stop{suggested, reason, append([]fault.Message{m}, further...)}
}

// considerStop updates the suggestion.
func (d *Dashboard) considerStop(ctx context.Context) error {
	models, err := d.jury.models(ctx)
	if err != nil {
		return err
	}
	left, err := d.queue.unlabelled(ctx, store.Training, nil)
	if err != nil {
		return err
	}
	if d.fixed && len(left) > 0 {
		d.events.setStop(stop(false, "The network is not trained: labels do not change it.", fault.Say(fault.StopFixed)))
		return nil
	}
	d.events.setStop(suggestStop(models, d.config.QuerySize, len(left), d.jury.now().Foreground))
	return nil
}
