package record

import (
	"slices"
	"strings"
	"testing"
)

// A choice of channels is a word or a list of numbers and names, and a run folder's file says the same.
func TestConfigChannels(t *testing.T) {
	for text, want := range map[string][]string{"all": {"all"}, "[0, 2]": {"0", "2"}, "[T2, 1]": {"T2", "1"}, "ADC": {"ADC"}} {
		c, err := parseConfig("test.yaml", []byte("channels: "+text+"\nresample: true\n"), nil)
		if err != nil || !slices.Equal(c.Channels, want) || !c.Resample {
			t.Errorf("%s: got %v, %v", text, c.Channels, err)
			continue
		}
		again, err := parseConfig("config.yaml", c.YAML(), nil)
		if err != nil || !slices.Equal(again.Channels, want) {
			t.Errorf("%s: its own file gives %v, %v", text, again.Channels, err)
		}
	}
	if text := string(Default().YAML()); strings.Contains(text, "channels") || strings.Contains(text, "resample") {
		t.Errorf("without a choice a run folder says nothing of channels:\n%s", text)
	}
}
