"""What a person sees. Streamlit and Plotly live here; torch never does."""
